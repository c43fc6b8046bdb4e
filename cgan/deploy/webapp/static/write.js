// "Write a number": each digit has its own noise; number and seed are in the address.

import { allRight, byId, checkedSeed, isSeed, newSeed } from "./fields.js";
import { noise } from "./noise.js";
import { newestOnly } from "./pace.js";
import { Strip } from "./pictures.js";

const LONGEST = 12;
const UNASKED = 8; // images of a generator that uses no label
const FIRST = { number: "2026", seed: 1 };

/** Returns the problem with a number, in a line; "" if there is none. */
export function numberProblem(number, nLabels) {
  const last = Math.min(nLabels, 10) - 1;
  const strange = [...number].find((digit) => !/[0-9]/.test(digit) || Number(digit) > last);
  if (number === "") return "Write a number, such as 2026.";
  if (strange !== undefined) return `\u201c${strange}\u201d is not a digit of this generator: write digits from 0 to ${last}.`;
  return number.length > LONGEST ? `Write ${LONGEST} digits at most.` : "";
}

export function startWriting(page) {
  const { facts, networks, pace, say } = page;
  const [number, seed, problem, read] = ["number", "seed", "number-problem", "read"].map(byId);
  const strip = new Strip(byId("strip"), facts.image);
  let shown = "";

  const draw = newestOnly(async (start) => {
    const labels = facts.conditional ? [...number.value].map(Number) : Array(UNASKED).fill(0);
    const asked = number.value, from = Number(seed.value);
    const points = labels.map((_, place) => noise(from, place, facts.size, facts.noise));
    const drawn = await networks.draw(points, labels);
    const names = labels.map((label, i) => (facts.conditional ? `Digit ${label}` : `Image ${i + 1}`));
    strip.show(drawn, names);
    shown = facts.conditional ? asked : "drawings";
    read.textContent = drawn.answers ? words(drawn.answers, asked) : "";
    if (start !== undefined) pace.note(start);
    say(read.textContent || `${labels.length} images generated`);
  });

  function words(answers, asked) {
    const text = answers.map((answer) => answer.label).join(facts.labels > 10 ? " " : "");
    if (!facts.conditional) return `Classified as: ${[...text].join(" ")}`;
    return `Classified as: ${text}${text === asked ? "" : `, which is not ${asked}`}`;
  }

  function changed(event) {
    const wrong = facts.conditional ? numberProblem(number.value, facts.labels) : "";
    if (!allRight([[number, wrong], checkedSeed(seed)], problem)) return;
    const asked = facts.conditional ? `write=${number.value}&` : "";
    history.replaceState(null, "", `#${asked}seed=${Number(seed.value)}`);
    draw(event?.timeStamp);
  }

  function fromAddress(event) {
    const said = new URLSearchParams(location.hash.slice(1));
    const wanted = said.get("write") ?? FIRST.number;
    const usual = facts.labels < 7 ? "0123".slice(0, facts.labels) : FIRST.number;
    number.value = numberProblem(wanted, facts.labels) ? usual : wanted;
    seed.value = isSeed(said.get("seed")) ? said.get("seed") : FIRST.seed;
    changed(event);
  }

  if (!facts.conditional) {
    byId("number-part").hidden = true;
    byId("write-title").textContent = "Images";
    byId("again").textContent = "New images";
    byId("write-about").textContent =
      "This generator does not use labels, so no digit can be requested. These are images that it generates.";
  }
  number.addEventListener("input", changed);
  seed.addEventListener("input", changed);
  byId("again").addEventListener("click", (event) => {
    seed.value = newSeed();
    changed(event);
  });
  byId("save-number").addEventListener("click", () => {
    strip.save(`cgan-${facts.run}-${shown}-seed-${seed.value}.png`);
  });
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}
