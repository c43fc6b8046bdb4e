// "Write a number", "Choose classes" or "Images": what is asked for, and the seed, are in the address.

import { ChoiceRequest } from "./choice.js";
import { allRight, byId, checkedSeed, isSeed, newSeed } from "./fields.js";
import { noise } from "./noise.js";
import { NumberRequest } from "./number.js";
import { newestOnly } from "./pace.js";
import { Strip } from "./pictures.js";

const UNASKED = 8; // images of a generator that uses no label
const FIRST_SEED = "1";

/** Images of no class in particular: the request of a generator that uses no label. */
class AnyRequest {
  titled = false;
  #classes;

  constructor(classes) {
    this.#classes = classes;
    byId("images-title").textContent = "Images";
    byId("images-about").textContent =
      `This generator does not use labels, so no ${classes.noun} can be requested. These are images that it generates.`;
  }

  problems() {
    return [];
  }

  wanted() {
    return Array.from({ length: UNASKED }, (_, place) => ({ label: 0, place }));
  }

  inAddress() {
    return [];
  }

  fromAddress() {}

  fileName() {
    return "images";
  }

  verdict(labels) {
    return `Classified as: ${labels.map((label) => this.#classes.names[label]).join(", ")}`;
  }
}

/** Says why images of one class differ, and which classes are not offered. */
function about({ conditional, numbers }, { noun, nouns, names, offered }) {
  const each = `Each ${conditional && !numbers ? "image" : noun} has its own random noise, so each looks different.`;
  const n = names.length - offered.length;
  if (n === 0) return each;
  return `${each} ${n === 1 ? `One ${noun} is` : `${n} ${nouns} are`} not offered, because there were no training images of ${n === 1 ? "it" : "them"}.`;
}

export function startImages(page) {
  const { facts, classes, networks, pace, say } = page;
  const [seed, problem, read] = ["seed", "images-problem", "read"].map(byId);
  const strip = new Strip(byId("strip"), facts.image, classes);
  byId("images-about").textContent = about(facts, classes);
  const Request = facts.conditional ? (facts.numbers ? NumberRequest : ChoiceRequest) : AnyRequest;
  const request = new Request(classes, changed);
  let shown = "";

  const draw = newestOnly(async (start) => {
    const wanted = request.wanted(), from = Number(seed.value), name = request.fileName();
    const points = wanted.map(({ place }) => noise(from, place, facts.size, facts.noise));
    const drawn = await networks.draw(points, wanted.map(({ label }) => label));
    const names = wanted.map(({ label }, i) => (facts.conditional ? classes.title(label) : `Image ${i + 1}`));
    strip.show(drawn, names, request.titled);
    shown = name;
    read.textContent = drawn.answers ? request.verdict(drawn.answers.map(({ label }) => label), wanted) : "";
    if (start !== undefined) pace.note(start);
    say(read.textContent || `${wanted.length} image${wanted.length === 1 ? "" : "s"} generated`);
  });

  function changed(event) {
    if (!allRight([...request.problems(), checkedSeed(seed)], problem)) return;
    const address = new URLSearchParams([...request.inAddress(), ["seed", String(Number(seed.value))]]);
    history.replaceState(null, "", `#${address}`);
    draw(event?.timeStamp);
  }

  function fromAddress(event) {
    const said = new URLSearchParams(location.hash.slice(1));
    request.fromAddress(said);
    seed.value = isSeed(said.get("seed")) ? said.get("seed") : FIRST_SEED;
    changed(event);
  }

  seed.addEventListener("input", changed);
  byId("again").addEventListener("click", (event) => {
    seed.value = newSeed();
    changed(event);
  });
  byId("save-images").addEventListener("click", () => {
    strip.save(`cgan-${facts.run}-${shown}-seed-${seed.value}.png`);
  });
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}
