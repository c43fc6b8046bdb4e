// A field that finds classes by name: an editable combobox with a list, as in the ARIA Authoring
// Practices Guide. Arrow keys move, Enter chooses, Escape closes.

const PAGE = 8; // options that Page Up and Page Down pass over

export class Combobox {
  #field;
  #list;
  #none;
  #classes;
  #handlers;
  #shown = []; // labels in the list
  #active = -1; // place in the list

  /**
   * Lets a field choose among classes. The element after it becomes the list, the next one says if
   * there is no match.
   * @param {HTMLInputElement} field
   * @param {import("./classes.js").Classes} classes
   * @param {{choose: function(number), chosen: function(number): boolean, text: function(): string}}
   *   handlers what to do with a chosen label; whether a label is chosen; what the closed field shows
   */
  constructor(field, classes, handlers) {
    [this.#field, this.#classes, this.#handlers] = [field, classes, handlers];
    [this.#list, this.#none] = [field.nextElementSibling, field.nextElementSibling.nextElementSibling];
    this.#list.setAttribute("aria-label", classes.nouns);
    field.addEventListener("input", () => this.#open(field.value));
    field.addEventListener("click", () => this.#open(""));
    field.addEventListener("focus", () => field.select());
    field.addEventListener("blur", () => this.#leave());
    field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#choose([...this.#list.children].indexOf(option));
    });
    this.close();
  }

  /** Closes the list; the field shows what is chosen. */
  close() {
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#none.textContent = "";
    this.#field.setAttribute("aria-expanded", "false");
    this.#field.removeAttribute("aria-activedescendant");
    this.#field.value = this.#handlers.text();
  }

  #open(text) {
    this.#shown = this.#classes.matches(text);
    this.#list.replaceChildren(...this.#shown.map((label, place) => this.#option(label, place)));
    this.#list.hidden = this.#shown.length === 0;
    this.#none.textContent = this.#shown.length ? "" : `No ${this.#classes.noun} has this name.`;
    this.#field.setAttribute("aria-expanded", String(this.#shown.length > 0));
    const chosen = this.#shown.findIndex(this.#handlers.chosen);
    this.#move(text === "" && chosen >= 0 ? chosen : 0);
  }

  #option(label, place) {
    const option = document.createElement("li");
    option.id = `${this.#list.id}-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(this.#handlers.chosen(label)));
    option.textContent = this.#classes.names[label];
    return option;
  }

  /** Makes another option the active one. */
  #move(place) {
    this.#list.children[this.#active]?.classList.remove("active");
    this.#active = Math.max(0, Math.min(this.#shown.length - 1, place));
    const option = this.#list.children[this.#active];
    if (!option) return;
    option.classList.add("active");
    option.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", option.id);
  }

  #pressed(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };
    if (event.key in steps) {
      event.preventDefault();
      if (this.#list.hidden) this.#open("");
      else this.#move(this.#active + steps[event.key]);
    } else if (event.key === "Enter" && !this.#list.hidden) {
      event.preventDefault();
      this.#choose(this.#active);
    } else if (event.key === "Escape") {
      this.close();
    }
  }

  #choose(place) {
    this.#handlers.choose(this.#shown[place]);
    this.close();
    this.#field.select();
  }

  /** Takes a name that was typed in full, and closes the list. */
  #leave() {
    const typed = this.#field.value === this.#handlers.text() ? undefined : this.#classes.find(this.#field.value);
    if (typed !== undefined && !this.#handlers.chosen(typed)) this.#handlers.choose(typed);
    this.close();
  }
}

/**
 * Lets a field choose one class; hides it if the generator uses no label.
 * @returns {function(): number} the chosen label
 */
export function chooseOne(field, facts, classes, first, changed) {
  field.parentElement.hidden = !facts.conditional;
  let label = classes.offered[Math.min(first, classes.offered.length - 1)];
  new Combobox(field, classes, {
    choose: (chosen) => { label = chosen; changed(); },
    chosen: (other) => other === label,
    text: () => classes.names[label],
  });
  return () => label;
}
