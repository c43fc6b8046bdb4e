// The networks: draws images and asks the judge and the discriminator, all in this browser.

import * as ort from "./runtime/ort.wasm.min.js";

ort.env.wasm.numThreads = 1; // more would need headers that a plain static host does not send
ort.env.wasm.wasmPaths = {
  mjs: new URL("runtime/ort-wasm-simd-threaded.js", import.meta.url).href,
  wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};
ort.env.logLevel = "error";

/**
 * What came of one request: `images`, a Float32Array [C x H x W] in [-1, 1] each; `conditions`,
 * label x modes + mode each; `answers`, what the judge reads with its certainty (0 to 1), and
 * `logits` of the discriminator, each null where there is none.
 * @typedef {{images: Float32Array[], conditions: number[],
 *   answers: ?{label: number, certainty: number}[], logits: ?number[]}} Drawn
 */

export class Networks {
  #sessions;
  #facts;
  #before = Promise.resolve();

  constructor(sessions, facts) {
    this.#sessions = sessions;
    this.#facts = facts;
  }

  /** Loads those that `facts` (run.json) names; throws an Error if one cannot be. */
  static async load(facts) {
    const sessions = {};
    for (const file of facts.networks) {
      const answer = await fetch(new URL(file, import.meta.url));
      if (!answer.ok) throw new Error(`${file}: ${answer.status} ${answer.statusText}`);
      const content = new Uint8Array(await answer.arrayBuffer());
      sessions[file.replace(".onnx", "")] = await ort.InferenceSession.create(content);
    }
    const networks = new Networks(sessions, facts);
    await networks.draw([new Float64Array(facts.size)], [0]); // the first time is slow
    return networks;
  }

  /**
   * Draws an image for each point of noise and label; one request at a time.
   * @param {Float64Array[]} points
   * @param {number[]} labels
   * @returns {Promise<Drawn>}
   */
  draw(points, labels) {
    const drawn = this.#before.then(() => this.#draw(points, labels));
    this.#before = drawn.catch(() => {});
    return drawn;
  }

  async #draw(points, labels) {
    const n = points.length, { generator, judge, discriminator } = this.#sessions;
    const z = new ort.Tensor("float32", Float32Array.from(points.flatMap((p) => [...p])), [
      n, this.#facts.size,
    ]);
    const wanted = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [n]);
    const { images, conditions } = await generator.run({ z, labels: wanted });
    const read = judge && (await judge.run({ images })).logits;
    const taken = discriminator && (await discriminator.run({ images, conditions })).logits;
    return {
      images: rows(images.data, n),
      conditions: Array.from(conditions.data, Number),
      answers: read ? rows(read.data, n).map(answer) : null,
      logits: taken ? Array.from(taken.data) : null,
    };
  }
}

function rows(data, n) {
  const length = data.length / n;
  return Array.from({ length: n }, (_, i) => data.slice(i * length, (i + 1) * length));
}

/** Returns the likeliest label of logits, and its probability. */
function answer(logits) {
  const label = logits.indexOf(Math.max(...logits));
  const whole = logits.reduce((sum, value) => sum + Math.exp(value - logits[label]), 0);
  return { label, certainty: 1 / whole };
}
