"""What mkdocs.yml adds to the pages of docs/: files from outside of it, and the notebook's page."""

import html
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parent.parent
PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
REPORTS = "reports/examples"
NOTEBOOK, NOTEBOOK_PAGE = "docs/python.ipynb", "notebook.md"
ABOUT = "This page is the notebook [python.ipynb](python.ipynb) with its outputs."


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the shipped reports, the pages at the top of the repository, and the notebook's page."""
    reports = (path for path in (REPOSITORY / REPORTS).rglob("*") if path.is_file())
    for name in [*PAGES, *(str(path.relative_to(REPOSITORY)) for path in sorted(reports))]:
        files.append(File(name, str(REPOSITORY), config.site_dir, config.use_directory_urls))
    notebook = json.loads((REPOSITORY / NOTEBOOK).read_text(encoding="utf-8"))
    files.append(File.generated(config, NOTEBOOK_PAGE, content=markdown_of(notebook)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Rewrite links between docs/ and what lies beside it: in the site, docs/ is the top folder."""
    if page.file.src_uri in PAGES:
        return markdown.replace("](docs)", "](index.md)").replace("](docs/", "](")
    return markdown.replace("](../", "](")


def markdown_of(notebook: dict[str, Any]) -> str:
    """Return a notebook as a page: prose, code, and below each cell what it shows."""
    parts = ["---\nsearch:\n  exclude: true\n---"]  # docs/python.md has the same text
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            if len(parts) == 2:
                parts.append(ABOUT)
            continue
        parts.append(f"```python\n{source}\n```")
        shown = "\n".join(_shown(output) for output in cell["outputs"])
        if shown:
            parts.append(f'<div class="output" tabindex="0">\n{shown}\n</div>')
    return "\n\n".join(parts) + "\n"


def _shown(output: dict[str, Any]) -> str:
    """Return the richest form of an output, as a notebook would show it."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        picture = "".join(data["image/png"]).replace("\n", "")
        return f'<img alt="{_text(data)}" src="data:image/png;base64,{picture}">'
    if "text/html" in data:
        return re.sub(r"\n\s*\n", "\n", "".join(data["text/html"]))
    return f"<pre>{_text(data)}</pre>"


def _text(data: dict[str, Any]) -> str:
    # a blank line would end the block of HTML
    return html.escape("".join(data["text/plain"])).replace("\n\n", "\n&#8203;\n")
