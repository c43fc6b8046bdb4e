// An asynchronous function that lays the page out for axe-core, asks it, and puts all back. Returns
// what axe says of all rules but contrast, what it says of contrast, and letters in drawings that
// are too pale.
async () => {
  const CONTRAST = 4.5; // WCAG 2.2, level AA

  const channels = colour => colour.match(/[\d.]+/g).map(Number);
  const over = (above, alpha, below) => below.map((part, i) => alpha * above[i] + (1 - alpha) * part);
  const linear = part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) =>
    0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  // The colour behind an element of the page: its own, or what shines through from further out.
  const ground = element => {
    if (!element) return [255, 255, 255];
    const [red, green, blue, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
    return over([red, green, blue], alpha, alpha === 1 ? [0, 0, 0] : ground(element.parentElement));
  };

  const covers = (shape, x, y) => {
    const box = shape.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) return false;
    if (!shape.isPointInFill) return true;
    const inside = new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse());
    return shape.isPointInFill(inside);
  };

  // The colour behind the middle of a text: the page's ground, then all shapes drawn before it.
  const behind = text => {
    const box = text.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    let colour = ground(text.ownerSVGElement.parentElement);
    for (const shape of text.ownerSVGElement.querySelectorAll("path, rect, circle, polygon, use")) {
      const style = getComputedStyle(shape);
      const before = shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (!before || shape.closest("defs, clipPath") || style.fill === "none") continue;
      if (covers(shape, x, y))
        colour = over(channels(style.fill), style.fillOpacity * style.opacity, colour);
    }
    return colour;
  };

  const paleLetters = () =>
    [...document.querySelectorAll("svg text")]
      .filter(text => text.checkVisibility() && text.textContent.trim())
      .map(text => [text, contrast(channels(getComputedStyle(text).fill), behind(text))])
      .filter(([, ratio]) => ratio < CONTRAST)
      .map(([text, ratio]) => `drawn letters ${text.textContent.trim()}: ${ratio.toFixed(2)}`);

  const closed = [...document.querySelectorAll("details:not([open])")];
  for (const part of closed) part.open = true;
  // of what passes, one node is enough: the selectors of all others take longer than the rules
  const resultTypes = ["violations", "incomplete"];
  const rules = await axe.run(document, {
    resultTypes,
    rules: {"color-contrast": {enabled: false}},
  });
  const letters = paleLetters();

  // axe measures no text that is scrolled out of sight or lies under something else, so nothing
  // scrolls by itself meanwhile, and nothing stands beside what is wider now
  const scrolls = one => ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
  const beside = one => /grid|flex/.test(getComputedStyle(one).display);
  const all = [...document.body.querySelectorAll("*")];
  const wide = all.filter(scrolls);
  const around = all.filter(one => beside(one) && wide.some(inner => one.contains(inner)));
  const widest = Math.max(0, ...wide.map(one => one.scrollWidth));
  const changed = [...new Set([document.body, ...wide, ...around])];
  const before = changed.map(one => one.style.cssText);
  for (const one of wide) one.style.overflow = "visible";
  for (const one of around) one.style.display = "block";
  document.body.style.minWidth = `${widest}px`;
  const measured = await axe.run(document, {resultTypes, runOnly: ["color-contrast"]});
  changed.forEach((one, index) => { one.style.cssText = before[index]; });
  for (const part of closed) part.open = false;
  return [rules, measured, letters];
}
