// The networks: generates images and runs the judge and the discriminator, all in this browser.

import * as ort from "./runtime/ort.wasm.min.js";

ort.env.wasm.numThreads = 1; // more would need headers that a plain static host does not send
ort.env.wasm.wasmPaths = {
  mjs: new URL("runtime/ort-wasm-simd-threaded.js", import.meta.url).href,
  wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};
ort.env.logLevel = "error";

/**
 * The result of one request, a value for each image: `images`, a Float32Array [C x H x W] in
 * [-1, 1]; `modes`, from 0; `answers`, the judge's label with its certainty (0 to 1); `logits` of
 * the discriminator. The last two are null if there is no such network.
 * @typedef {{images: Float32Array[], modes: number[],
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

  /** Loads the networks in `facts` (run.json); throws an Error if one cannot be loaded. */
  static async load(facts) {
    const sessions = {};
    for (const file of facts.networks) {
      const answer = await fetch(new URL(file, import.meta.url));
      if (!answer.ok) throw new Error(`${file}: ${answer.status} ${answer.statusText}`);
      const content = new Uint8Array(await answer.arrayBuffer());
      sessions[file.replace(".onnx", "")] = await ort.InferenceSession.create(content);
    }
    const networks = new Networks(sessions, facts);
    await networks.draw([new Float64Array(facts.size)], [0]); // the first run is slow
    return networks;
  }

  /**
   * Generates an image for each point of noise and label; one request at a time.
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
    const asked = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [n]);
    const { images, modes } = await generator.run({ z, labels: asked });
    const read = judge && (await judge.run({ images })).logits;
    const taken = discriminator && (await discriminator.run({ images, labels: asked, modes })).logits;
    return {
      images: rows(images.data, n),
      modes: Array.from(modes.data, Number),
      answers: read ? rows(read.data, n).map(answer) : null,
      logits: taken ? Array.from(taken.data) : null,
    };
  }
}

function rows(data, n) {
  const length = data.length / n;
  return Array.from({ length: n }, (_, i) => data.slice(i * length, (i + 1) * length));
}

/** Returns the most likely label of logits, and its probability. */
function answer(logits) {
  const label = logits.indexOf(Math.max(...logits));
  const whole = logits.reduce((sum, value) => sum + Math.exp(value - logits[label]), 0);
  return { label, certainty: 1 / whole };
}
