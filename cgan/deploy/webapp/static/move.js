// "Move through the latent space": a class, and a slider for each direction.

import { chooseOne } from "./combobox.js";
import { allRight, byId, checkedSeed, fileWord, newSeed } from "./fields.js";
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
  brightness: "Brightness",
  contrast: "Contrast",
  warmth: "Warmth (from blue to red)",
  saturation: "Saturation",
  size: "Size on the ground",
  principal: "Principal direction",
};

export function startMoving(page) {
  const { facts, classes, networks, pace, say } = page;
  const seed = byId("move-seed");
  const strip = new Strip(byId("move-strip"), facts.image, classes);
  const unit = spread(facts.noise);
  const directions = facts.directions.map(({ vector }) => Float64Array.from(vector));
  const sliders = facts.directions.map((direction, i) => slider(direction, i));
  const label = chooseOne(byId("move-class"), facts, classes, FIRST.label, (event) => draw(event?.timeStamp));
  let point = new Float64Array(facts.size);

  const draw = newestOnly(async (start) => {
    const values = sliders.map(({ input }) => Number(input.value) * unit);
    const wanted = label();
    const drawn = await networks.draw([moved(point, directions, values)], [wanted]);
    strip.show(drawn, [facts.conditional ? classes.title(wanted) : "Image"]);
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

  function slider({ name, share }, i) {
    const row = document.createElement("p");
    row.className = "slider";
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id: `direction-${i}`, step: STEP });
    Object.assign(input, { min: -FURTHEST, max: FURTHEST });
    const title = document.createElement("label");
    const [word, number] = name.split(" ");
    title.textContent = name === "kind" ? `Mode of the ${classes.noun}` : [NAMES[word], number].filter(Boolean).join(" ");
    title.htmlFor = input.id;
    const explained = document.createElement("span");
    explained.id = `${input.id}-share`;
    explained.textContent = name === "kind" ? "" : `explains ${percent(share)}${word === "principal" ? " of the pixels" : ""}`;
    input.setAttribute("aria-describedby", explained.id);
    const value = document.createElement("span");
    value.className = "value";
    const heading = document.createElement("span");
    heading.className = "heading";
    heading.append(title, explained);
    row.append(heading, input, value);
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

  byId("move-about").textContent = about(facts, classes);
  seed.value = FIRST.seed;
  seed.addEventListener("input", start);
  byId("move-again").addEventListener("click", (event) => {
    seed.value = newSeed();
    start(event);
  });
  byId("save-move").addEventListener("click", () => {
    const what = facts.conditional ? `${fileWord(classes.names[label()])}-` : "";
    strip.save(`cgan-${facts.run}-${what}moved-seed-${seed.value}.png`);
  });
  start();
}

/** Describes the sliders in a few sentences. */
function about({ conditional, directions, modes }, { noun, nouns }) {
  const principal = directions.filter(({ name }) => name.startsWith("principal"));
  const named = directions.length - principal.length - (modes > 1 ? 1 : 0);
  const among = conditional ? `images of one ${noun}` : "all images";
  const parts = ["Each slider moves along one direction of the latent space, in standard deviations of the noise."];
  if (named > 0) {
    parts.push(
      "The named directions were fitted to measurements of generated images. " +
      `The percentage is the share of the measurement's variance among ${among} that the direction explains.`,
    );
  }
  if (principal.length) {
    const share = principal.reduce((sum, direction) => sum + direction.share, 0);
    parts.push(
      `The principal directions explain most of the ${named > 0 ? "remaining " : ""}differences: ` +
      `together ${percent(share)} of the variance of the pixels.`,
    );
  }
  if (modes > 1) {
    parts.push(`The mode is chosen by the first number of the noise, among ${modes} modes of each ${noun} that were found in the training images.`);
  }
  return parts.join(" ");
}
