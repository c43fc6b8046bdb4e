// Pictures: images on canvases, with captions below, and as files.

const GAP = 2; // pixels of an image between two images in a file
const LARGEST = 8; // pixels of a file for a pixel of an image
const COLUMNS = 12; // images in a row of a file
const [SMALL, LARGE] = [150, 256]; // room for an image, in CSS pixels; style.css has the same

/** Paints an image, a Float32Array [C x H x W] in [-1, 1], pixel for pixel. */
function paint(canvas, image, [channels, height, width]) {
  const pixels = new ImageData(width, height), n = width * height;
  for (let i = 0; i < n; i += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      const value = image[(channels >= 3 ? colour : 0) * n + i];
      pixels.data[4 * i + colour] = Math.round((value + 1) * 127.5);
    }
    pixels.data[4 * i + 3] = 255;
  }
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** Shows a canvas as large as fits into `room` CSS pixels, each pixel equally many of the screen's. */
function enlarge(canvas, [, height, width], room) {
  const screen = window.devicePixelRatio || 1;
  const scale = Math.max(1, Math.floor((room * screen) / Math.max(height, width)));
  canvas.style.width = `${(scale * width) / screen}px`;
}

function made(name, kind, parent, text = "") {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.textContent = text;
  parent.append(element);
  return element;
}

/** Sets the text of an element, which may break after a slash or an underscore. */
function write(element, text) {
  const parts = text.split(/(?<=[/_])/).flatMap((part) => [document.createElement("wbr"), part]);
  element.replaceChildren(...parts.slice(1));
}

/** Returns a number with its sign, a real minus, and one digit after the point. */
export function signed(value) {
  return (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(1);
}

export function percent(share) {
  if (share > 0 && share < 0.005) return "under 1%";
  return `${(100 * share).toFixed(share > 0.995 ? 1 : 0)}%`;
}

/** A row of pictures below `parent`, each with a caption: as many as were shown last. */
export class Strip {
  #parent;
  #shape;
  #classes;
  #parts = [];
  words = ""; // a description of all images for screen readers

  /**
   * @param {HTMLElement} parent
   * @param {number[]} shape channels, height and width
   * @param {import("./classes.js").Classes} classes
   */
  constructor(parent, shape, classes) {
    [this.#parent, this.#shape, this.#classes] = [parent, shape, classes];
  }

  /**
   * Shows images.
   * @param {import("./networks.js").Drawn} drawn
   * @param {string[]} names what each is
   * @param {boolean} titled whether the names stand above the pictures
   */
  show(drawn, names, titled = false) {
    while (this.#parts.length > names.length) this.#parts.pop().figure.remove();
    while (this.#parts.length < names.length) this.#parts.push(this.#part());
    this.#parts.forEach((part, i) => {
      paint(part.canvas, drawn.images[i], this.#shape);
      enlarge(part.canvas, this.#shape, this.#parent.classList.contains("large") ? LARGE : SMALL);
      write(part.title, titled ? names[i] : "");
      const said = [];
      if (drawn.answers) {
        const { label, certainty } = drawn.answers[i];
        const name = this.#classes.names[label];
        write(part.label, `classified as ${name}`);
        part.certainty.textContent = `${percent(certainty)} confidence`;
        said.push(`classified as ${name} with ${percent(certainty)} confidence`);
      }
      if (drawn.logits) {
        const logit = drawn.logits[i], real = logit > 0;
        part.taken.textContent = `${real ? "looks real" : "looks generated"} ${signed(logit)}`;
        part.bar.hidden = false;
        const share = 100 / (1 + Math.exp(-logit)); // of the bar; a half at logit 0
        part.fill.style.left = `${Math.min(share, 50)}%`;
        part.fill.style.width = `${Math.abs(share - 50)}%`;
        part.fill.className = real ? "real" : "drawn";
        said.push(part.taken.textContent);
      }
      part.canvas.setAttribute("aria-label", [names[i], ...said].join("; "));
    });
    this.words = this.#parts.map((part) => part.canvas.getAttribute("aria-label")).join(". ");
  }

  #part() {
    const figure = made("figure", "", this.#parent);
    const title = made("p", "title", figure);
    const canvas = made("canvas", "", figure);
    canvas.setAttribute("role", "img");
    const caption = made("figcaption", "", figure);
    caption.setAttribute("aria-hidden", "true"); // the label of the canvas says the same
    const label = made("p", "label", caption), certainty = made("p", "soft", caption);
    const bar = made("p", "bar", caption), fill = made("span", "", bar);
    bar.hidden = true;
    return { figure, title, canvas, label, certainty, bar, fill, taken: made("p", "soft", caption) };
  }

  /** Saves the pictures side by side, in several rows if they are many, as a PNG. */
  save(name) {
    const canvases = this.#parts.map((part) => part.canvas);
    const [, height, width] = this.#shape, sheet = document.createElement("canvas");
    const scale = Math.max(1, Math.min(LARGEST, Math.floor(224 / height)));
    const columns = Math.min(COLUMNS, canvases.length), rows = Math.ceil(canvases.length / columns);
    sheet.width = scale * (columns * (width + GAP) - GAP);
    sheet.height = scale * (rows * (height + GAP) - GAP);
    const context = sheet.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.fillStyle = "white";
    context.fillRect(0, 0, sheet.width, sheet.height);
    canvases.forEach((canvas, i) => {
      const [left, top] = [(i % columns) * (width + GAP), Math.floor(i / columns) * (height + GAP)];
      context.drawImage(canvas, scale * left, scale * top, scale * width, scale * height);
    });
    sheet.toBlob((content) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(content);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    }, "image/png");
  }
}
