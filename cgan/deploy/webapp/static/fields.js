// Fields that several parts of the page have: seeds, and what they have in common.

const LARGEST_SEED = 2 ** 32 - 1;
const NEW_SEEDS = 1_000_000; // short enough to remember

export function byId(id) {
  return document.getElementById(id);
}

export function isSeed(text) {
  return /^[0-9]{1,10}$/.test(text ?? "") && Number(text) <= LARGEST_SEED;
}

/**
 * Marks invalid fields and shows the first problem.
 * @param {[HTMLElement, string][]} checked each field with its problem, or ""
 * @returns whether all fields are valid
 */
export function allRight(checked, words) {
  for (const [field, problem] of checked) field.setAttribute("aria-invalid", String(problem !== ""));
  words.textContent = checked.map(([, problem]) => problem).find(Boolean) ?? "";
  return words.textContent === "";
}

/** Returns the field of a seed with its problem, for `allRight`. */
export function checkedSeed(field) {
  return [field, isSeed(field.value) ? "" : `A seed is a whole number from 0 to ${LARGEST_SEED}.`];
}

export function newSeed() {
  return String(Math.floor(Math.random() * NEW_SEEDS));
}

/** Returns a name as a part of a file's name. */
export function fileWord(name) {
  return name.replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60);
}
