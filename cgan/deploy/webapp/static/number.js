// Asks for digits by a number that is written.

import { byId } from "./fields.js";

const LONGEST = 12;
const FIRST = "2026";

/** Returns the problem with a number, in a line; "" if there is none. */
export function numberProblem(number, classes) {
  const digits = classes.offered.map((label) => classes.names[label]);
  const strange = [...number].find((digit) => !digits.includes(digit));
  if (number === "") return "Write a number, such as 2026.";
  if (strange !== undefined) return `\u201c${strange}\u201d is not a digit of this generator: write ${offer(digits)}.`;
  return number.length > LONGEST ? `Write ${LONGEST} digits at most.` : "";
}

/** Describes digits, in ascending order, that may be written. */
function offer(digits) {
  const whole = digits.length === Number(digits.at(-1)) - Number(digits[0]) + 1;
  return whole ? `digits from ${digits[0]} to ${digits.at(-1)}` : `only ${digits.join(", ")}`;
}

/** A number that is written: the request of a generator of digits. */
export class NumberRequest {
  field = byId("number");
  titled = false; // the digits stand in the field
  #classes;

  constructor(classes, changed) {
    this.#classes = classes;
    byId("number-part").hidden = false;
    byId("images-title").textContent = "Write a number";
    byId("again").textContent = "New handwriting";
    this.field.addEventListener("input", changed);
  }

  problems() {
    return [[this.field, numberProblem(this.field.value, this.#classes)]];
  }

  /** Returns the wanted images: label and place of the noise of each. */
  wanted() {
    return [...this.field.value].map((digit, place) => ({ label: this.#classes.find(digit), place }));
  }

  inAddress() {
    return [["write", this.field.value]];
  }

  fromAddress(said) {
    const digits = this.#classes.offered.map((label) => this.#classes.names[label]);
    const usual = numberProblem(FIRST, this.#classes) ? digits.slice(0, 4).join("") : FIRST;
    const number = said.get("write") ?? usual;
    this.field.value = numberProblem(number, this.#classes) ? usual : number;
  }

  fileName() {
    return this.field.value;
  }

  /** Says how the judge classifies the images. */
  verdict(labels, asked) {
    const [text, number] = [labels, asked.map(({ label }) => label)].map(
      (digits) => digits.map((label) => this.#classes.names[label]).join(""),
    );
    return `Classified as: ${text}${text === number ? "" : `, which is not ${number}`}`;
  }
}
