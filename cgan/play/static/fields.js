// Fields that several parts of the page have: seeds and labels.

export const LARGEST_SEED = 2 ** 32 - 1;
const NEW_SEEDS = 1_000_000; // short enough to be told to somebody

export function byId(id) {
  return document.getElementById(id);
}

export function isSeed(text) {
  return /^[0-9]{1,10}$/.test(text ?? "") && Number(text) <= LARGEST_SEED;
}

/** Returns what is wrong with the seed in a field, in a line; nothing if it is one. */
export function seedProblem(field) {
  return isSeed(field.value) ? "" : `A seed is a whole number from 0 to ${LARGEST_SEED}.`;
}

export function newSeed() {
  return String(Math.floor(Math.random() * NEW_SEEDS));
}

/** Offers the labels of a generator; hides the choice where it heeds none. */
export function offerLabels(field, facts, first) {
  field.parentElement.hidden = !facts.conditional;
  const n = facts.conditional ? facts.labels : 1;
  for (let label = 0; label < n; label += 1) field.append(new Option(label, label));
  field.value = String(Math.min(first, n - 1));
}
