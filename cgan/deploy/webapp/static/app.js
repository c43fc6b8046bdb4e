// Starts the page: reads what is known of the run, loads the networks, starts the three parts.

import { byId } from "./fields.js";
import { startMoving } from "./move.js";
import { Networks } from "./networks.js";
import { Pace } from "./pace.js";
import { startPoints } from "./points.js";
import { startWriting } from "./write.js";

const QUIET = 700; // milliseconds without a change after which a screen reader is told

/** Returns a function that tells a screen reader the last text once nothing changes any more. */
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

/** Fills in the small print; what is not known is left out. */
function tell(facts, runtime) {
  const epochs = `${facts.epochs} epoch${facts.epochs === 1 ? "" : "s"}`;
  const guide = facts.guide ? `, taught with the help of ${facts.guide}` : "";
  byId("about-run").textContent =
    `The generator is the run ${facts.run}: recipe ${facts.recipe}, ${epochs} of ${facts.dataset}, ` +
    `seed ${facts.seed}${guide} (cgan ${facts.version}).`;
  byId("about-judge").textContent = facts.judge
    ? judgeWords(facts.judge)
    : `No judge of ${facts.dataset} is here, so nobody reads the drawings.`;
  byId("about-discriminator").textContent = facts.networks.includes("discriminator.onnx")
    ? "Whether a picture looks real or drawn is the opinion of the discriminator, which the generator " +
      "was trained to deceive: its logit, above zero for real, and as a bar that is full where it is " +
      "certain. Near zero it cannot tell."
    : "The discriminator is not kept with this run, so nobody tells whether a drawing looks real.";
  byId("runtime-version").textContent = runtime.version;
}

function judgeWords({ name, network, taught, accuracy }) {
  const well = accuracy === null ? "" : ` and reads ${(100 * accuracy).toFixed(2)}% of real test images rightly`;
  const sure = taught < 1
    ? ` Its lessons asked for a certainty of ${(100 * taught).toFixed(1)}%, not more: about that much is sure.`
    : "";
  return `The judge is ${name} (${network}), which never guided a generator${well}.${sure}`;
}

async function start() {
  try {
    const [facts, runtime] = await Promise.all([json("run.json"), json("runtime/runtime.json")]);
    const networks = await Networks.load(facts);
    tell(facts, runtime);
    document.title = `Ask for digits \u2013 ${facts.run} \u2013 cgan`;
    const page = { facts, networks, pace: new Pace(byId("pace")), say: speaker(byId("said")) };
    byId("panels").hidden = false;
    startWriting(page);
    startMoving(page);
    startPoints(page);
    byId("state").textContent = "";
  } catch (error) {
    byId("state").textContent = `The page could not be started (${error.message}). Reload it, or try another browser.`;
    throw error;
  }
}

await start();
