// "Latent arithmetic": two seeds, their sum and difference, and the interpolation between them.

import { chooseOne } from "./combobox.js";
import { allRight, byId, checkedSeed, newSeed } from "./fields.js";
import { between, noise, together } from "./noise.js";
import { newestOnly } from "./pace.js";
import { Strip, percent } from "./pictures.js";

const FIRST = { label: 3, a: "1", b: "2" };
const NAMES = ["A", "B", "A + B", "A \u2212 B"];

export function startPoints(page) {
  const { facts, classes, networks, pace, say } = page;
  const [seedA, seedB, way, value] = ["seed-a", "seed-b", "way", "way-value"].map(byId);
  const strip = new Strip(byId("points-strip"), facts.image, classes);
  const wayStrip = new Strip(byId("way-strip"), facts.image, classes);
  const label = chooseOne(byId("points-class"), facts, classes, FIRST.label, start);
  let [a, b] = [new Float64Array(facts.size), new Float64Array(facts.size)];

  const drawPoints = newestOnly(async (start) => {
    const points = [a, b, together(a, b), together(a, b, -1)];
    const drawn = await networks.draw(points, points.map(label));
    strip.show(drawn, NAMES, true);
    await drawWay();
    if (start !== undefined) pace.note(start);
  });

  const drawWay = newestOnly(async (start) => {
    const share = Number(way.value);
    const drawn = await networks.draw([between(a, b, share)], [label()]);
    wayStrip.show(drawn, [`${percent(share)} of the way from A to B`]);
    value.textContent = percent(share);
    way.setAttribute("aria-valuetext", value.textContent);
    if (start !== undefined) pace.note(start);
    say(wayStrip.words);
  });

  function start(event) {
    if (!allRight([seedA, seedB].map(checkedSeed), byId("points-problem"))) return;
    [a, b] = [seedA, seedB].map((field) => noise(Number(field.value), 0, facts.size, facts.noise));
    drawPoints(event?.timeStamp);
  }

  [seedA.value, seedB.value] = [FIRST.a, FIRST.b];
  for (const field of [seedA, seedB]) field.addEventListener("input", start);
  way.addEventListener("input", (event) => drawWay(event.timeStamp));
  byId("points-again").addEventListener("click", (event) => {
    [seedA.value, seedB.value] = [newSeed(), newSeed()];
    start(event);
  });
  start();
}
