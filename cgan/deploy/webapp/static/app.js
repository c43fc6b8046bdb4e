// Starts the page: reads the facts of the run, loads the networks, starts the three parts.

import { Classes } from "./classes.js";
import { byId } from "./fields.js";
import { startImages } from "./images.js";
import { startMoving } from "./move.js";
import { Networks } from "./networks.js";
import { Pace } from "./pace.js";
import { startPoints } from "./points.js";

const FORMAT = 3; // of run.json
const QUIET = 700; // milliseconds without a change after which a screen reader gets the text

/** Returns a function that passes the last text to a screen reader when the changes have ended. */
function speaker(element) {
  let timer = 0;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { element.textContent = text; }, QUIET);
  };
}

async function json(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return answer.json();
}

/** Fills in the small print; unknown facts are left out. */
function tell(facts, runtime) {
  const epochs = `${facts.epochs} epoch${facts.epochs === 1 ? "" : "s"}`;
  const guide = facts.guide ? `, trained with the guide ${facts.guide}` : "";
  byId("about-run").textContent =
    `The generator is the run ${facts.run}: recipe ${facts.recipe}, ${epochs} of ${facts.dataset}, ` +
    `seed ${facts.seed}${guide} (cgan ${facts.version}).`;
  byId("about-judge").textContent = facts.judge
    ? judgeWords(facts.judge)
    : `There is no judge of ${facts.dataset}, so nothing classifies the images.`;
  byId("about-discriminator").textContent = facts.networks.includes("discriminator.onnx")
    ? "The discriminator says whether an image looks real or generated. The number is its logit: above " +
      "zero for real, below for generated. A longer bar means higher confidence. The generator was " +
      "trained to deceive it."
    : "This run has no discriminator, so nothing says whether an image looks real.";
  byId("runtime-version").textContent = runtime.version;
}

function judgeWords({ name, network, target, accuracy }) {
  const well = accuracy === null ? "" : `. It classifies ${(100 * accuracy).toFixed(2)}% of real test images correctly`;
  const sure = target < 1
    ? ` It was trained with label smoothing, so its confidence tops out near ${(100 * target).toFixed(1)}%.`
    : "";
  return `The judge is ${name} (${network}), which guided no generator${well}.${sure}`;
}

/** Names the page, and its fields of one class, by the noun of the classes. */
function name(facts, classes) {
  const what = classes.noun === "class" ? "images of a class" : classes.nouns;
  byId("title").textContent = `Ask for ${facts.conditional ? what : "images"}`;
  document.title = `${byId("title").textContent} \u2013 ${facts.run} \u2013 cgan`;
  byId("move-class-label").textContent = classes.Noun;
  byId("points-class-label").textContent = `${classes.Noun} to draw`;
}

async function start() {
  try {
    const [facts, runtime] = await Promise.all([json("run.json"), json("runtime/runtime.json")]);
    if (facts.format !== FORMAT) throw new Error(`run.json is of format ${facts.format}, not ${FORMAT}`);
    const networks = await Networks.load(facts);
    tell(facts, runtime);
    const classes = new Classes(facts);
    name(facts, classes);
    const page = { facts, classes, networks, pace: new Pace(byId("pace")), say: speaker(byId("said")) };
    byId("panels").hidden = false;
    startImages(page);
    startMoving(page);
    startPoints(page);
    byId("state").textContent = "";
  } catch (error) {
    byId("state").textContent = `The page could not be started (${error.message}). Reload it, or try another browser.`;
    throw error;
  }
}

await start();
