// Asks for classes by name: several at a time, with a search.

import { Combobox } from "./combobox.js";
import { byId, fileWord } from "./fields.js";

const MOST = 24; // images at a time
const FIRST = 8; // classes at the start, and at random
const FEW = 12; // so many classes are all chosen at the start

/** Classes that are chosen by name: the request of a generator of any labelled images. */
export class ChoiceRequest {
  field = byId("class");
  titled = true;
  #classes;
  #changed;
  #chosen = []; // labels
  #each = byId("each");
  #list = byId("chosen");
  #box;

  constructor(classes, changed) {
    [this.#classes, this.#changed] = [classes, changed];
    for (const part of ["class-part", "each-part", "chosen"]) byId(part).hidden = false;
    byId("images-title").textContent = `Choose ${classes.nouns}`;
    byId("class-label").textContent = `Add a ${classes.noun}`;
    this.#list.setAttribute("aria-label", `Chosen ${classes.nouns}`);
    this.#box = new Combobox(this.field, classes, {
      choose: (label) => this.#toggle(label),
      chosen: (label) => this.#chosen.includes(label),
      text: () => "",
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && this.field.value === "" && this.#chosen.length) this.#toggle(this.#chosen.at(-1));
    });
    this.#each.max = MOST;
    this.#each.addEventListener("input", changed);
    byId("random").hidden = classes.offered.length <= FEW;
    byId("random").textContent = `Random ${classes.nouns}`;
    byId("random").addEventListener("click", (event) => {
      this.#choose(atRandom(classes.offered, FIRST));
      changed(event);
    });
  }

  problems() {
    const each = /^[0-9]{1,2}$/.test(this.#each.value) ? Number(this.#each.value) : 0;
    const n = each * this.#chosen.length, { noun } = this.#classes;
    const none = this.#chosen.length ? "" : `Choose a ${noun}.`;
    const much = n > MOST ? `These would be ${n} images; ${MOST} are drawn at most. Remove a ${noun}, or ask for fewer of each.` : "";
    return [
      [this.field, none || much],
      [this.#each, each > 0 ? much : `Write a number of images from 1 to ${MOST}.`],
    ];
  }

  /** Returns the wanted images; the noise of one does not depend on which others are chosen. */
  wanted() {
    const numbers = [...Array(Number(this.#each.value)).keys()];
    const n = this.#classes.names.length;
    return this.#chosen.flatMap((label) => numbers.map((number) => ({ label, place: label + n * number })));
  }

  inAddress() {
    const each = this.#each.value === "1" ? [] : [["each", this.#each.value]];
    return [...this.#chosen.map((label) => ["class", this.#classes.names[label]]), ...each];
  }

  fromAddress(said) {
    const { offered } = this.#classes;
    const named = said.getAll("class").map((name) => this.#classes.find(name)).filter((label) => label !== undefined);
    const usual = offered.slice(0, offered.length <= FEW ? FEW : FIRST);
    this.#choose(named.length ? [...new Set(named)].slice(0, MOST) : usual);
    this.#each.value = said.get("each") ?? "1";
    if (this.problems().some(([, problem]) => problem)) this.#each.value = "1";
  }

  fileName() {
    if (this.#chosen.length > 1) return `${this.#chosen.length}-${this.#classes.nouns}`;
    return fileWord(this.#classes.names[this.#chosen[0]]);
  }

  /** Says how many images the judge classifies as they were asked for. */
  verdict(labels, asked) {
    const right = labels.filter((label, i) => label === asked[i].label).length;
    return `The judge classifies ${right} of ${labels.length} image${labels.length === 1 ? "" : "s"} as the ${this.#classes.noun} that was asked for.`;
  }

  #toggle(label) {
    const without = this.#chosen.filter((one) => one !== label);
    this.#choose(without.length < this.#chosen.length ? without : [...without, label]);
    this.#changed();
  }

  /** Shows chosen classes as buttons that remove them. */
  #choose(labels) {
    this.#chosen = labels;
    this.#list.replaceChildren(...labels.map((label, i) => this.#button(label, i)));
  }

  #button(label, i) {
    const [item, button] = ["li", "button"].map((name) => document.createElement(name));
    const name = this.#classes.names[label];
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-label", `Remove ${name}`);
    button.addEventListener("click", () => {
      this.#toggle(label);
      (this.#list.children[i]?.firstChild ?? this.field).focus();
    });
    item.append(button);
    return item;
  }
}

/** Returns `n` of the labels, each as likely as any other, in their order. */
function atRandom(labels, n) {
  const drawn = new Set();
  while (drawn.size < Math.min(n, labels.length)) drawn.add(labels[Math.floor(Math.random() * labels.length)]);
  return labels.filter((label) => drawn.has(label));
}
