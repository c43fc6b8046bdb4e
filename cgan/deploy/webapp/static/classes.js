// The classes of a generator: their names, which of them it can draw, and how they are found.

/** Returns a text without case and accents, so that "Àbc" is found by "abc". */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

export class Classes {
  #plain;

  /** @param facts run.json */
  constructor({ noun, nouns, names, offered }) {
    Object.assign(this, { noun, nouns, names, offered });
    this.#plain = names.map(plain);
  }

  /** The noun with a capital letter, as labels of fields begin. */
  get Noun() {
    return this.noun[0].toUpperCase() + this.noun.slice(1);
  }

  /** Returns what a picture is called: "Digit 7", or "dog". */
  title(label) {
    const name = this.names[label];
    return /^\d+$/.test(name) ? `${this.Noun} ${name}` : name;
  }

  /** Returns the label of a name, whatever its case; undefined if no offered class is called so. */
  find(text) {
    const exact = this.offered.find((label) => this.names[label] === text.trim());
    return exact ?? this.offered.find((label) => this.#plain[label] === plain(text.trim()));
  }

  /** Returns the labels whose names have all words of a text; those that begin with it are first. */
  matches(text) {
    const words = plain(text).split(/\s+/).filter(Boolean);
    const found = this.offered.filter((label) => words.every((word) => this.#plain[label].includes(word)));
    const begins = (label) => words.length > 0 && this.#plain[label].startsWith(words[0]);
    return [...found.filter(begins), ...found.filter((label) => !begins(label))];
  }
}
