// "Move through the latent space": a digit, and a slider for each direction.

import { allRight, byId, checkedSeed, newSeed, offerLabels } from "./fields.js";
import { dot, moved, noise, spread } from "./noise.js";
import { newestOnly } from "./pace.js";
import { Strip, percent, signed } from "./pictures.js";

const FURTHEST = 3; // standard deviations of the noise: one number in 370 is larger
const STEP = 0.05;
const FIRST = { label: 7, seed: "1" };
const NAMES = {
  slant: "Slant",
  ink: "Ink",
  width: "Width",
  movement: "Movement",
  kind: "Mode of the digit",
};

export function startMoving(page) {
  const { facts, networks, pace, say } = page;
  const [label, seed] = ["move-label", "move-seed"].map(byId);
  const strip = new Strip(byId("move-strip"), facts.image);
  const unit = spread(facts.noise);
  const directions = facts.directions.map(({ vector }) => Float64Array.from(vector));
  const sliders = facts.directions.map((direction, i) => slider(direction.name, i));
  let point = new Float64Array(facts.size);

  const draw = newestOnly(async (start) => {
    const values = sliders.map(({ input }) => Number(input.value) * unit);
    const wanted = Number(label.value);
    const drawn = await networks.draw([moved(point, directions, values)], [wanted]);
    strip.show(drawn, [facts.conditional ? `Digit ${wanted}` : "Image"]);
    sliders.forEach(({ input, value, name }) => {
      value.textContent = signed(Number(input.value));
      if (name === "kind") {
        value.textContent = `${drawn.modes[0] + 1} of ${facts.modes}`;
        input.setAttribute("aria-valuetext", value.textContent);
      }
    });
    if (start !== undefined) pace.note(start);
    say(strip.words);
  });

  function slider(name, i) {
    const row = document.createElement("p");
    row.className = "slider";
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id: `direction-${i}`, step: STEP });
    Object.assign(input, { min: -FURTHEST, max: FURTHEST });
    const title = document.createElement("label");
    const [word, number] = name.split(" ");
    title.textContent = [NAMES[word] ?? word, number].filter(Boolean).join(" ");
    title.htmlFor = input.id;
    const value = document.createElement("span");
    value.className = "value";
    row.append(title, input, value);
    byId("sliders").append(row);
    input.addEventListener("input", (event) => draw(event.timeStamp));
    return { input, value, name };
  }

  function start(event) {
    if (!allRight([checkedSeed(seed)], byId("move-problem"))) return;
    point = noise(Number(seed.value), 0, facts.size, facts.noise);
    sliders.forEach(({ input }, i) => {
      input.value = String(dot(point, directions[i]) / unit);
    });
    draw(event?.timeStamp);
  }

  byId("move-about").textContent = about(facts);
  offerLabels(label, facts, FIRST.label);
  seed.value = FIRST.seed;
  label.addEventListener("change", (event) => draw(event.timeStamp));
  seed.addEventListener("input", start);
  byId("move-again").addEventListener("click", (event) => {
    seed.value = newSeed();
    start(event);
  });
  byId("save-move").addEventListener("click", () => {
    const what = facts.conditional ? `${label.value}-` : "";
    strip.save(`cgan-${facts.run}-${what}moved-seed-${seed.value}.png`);
  });
  start();
}

/** Describes the sliders in a few sentences. */
function about(facts) {
  const named = facts.directions.filter(({ name }) => ["slant", "ink", "width"].includes(name));
  const rest = facts.directions.filter(({ name }) => name.startsWith("movement"));
  const parts = ["Each slider moves along one direction of the latent space, in standard deviations of the noise."];
  if (named.length) {
    const shares = named.map(({ name, share }) => `${percent(share)} of ${name}`);
    parts.push(
      `The named directions were fitted to measurements of generated images. They explain ${listed(shares)} among images of ${facts.conditional ? "one digit" : "all digits"}.`,
    );
  }
  if (rest.length) {
    const share = rest.reduce((sum, direction) => sum + direction.share, 0);
    parts.push(`The directions called Movement explain most of the remaining differences: together ${percent(share)} of the variance of the pixels.`);
  }
  if (facts.modes > 1) {
    parts.push(`The mode is chosen by the first number of the noise, among ${facts.modes} modes of each digit that were found in the training images.`);
  }
  return parts.join(" ");
}

function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
