/**
 * Is what stands on this page what the city has bound itself to in the log? The button beside each settled year.
 *
 * It fetches the row's proof, checks it here with the key in the box (`row_proofs`), and compares the figures that one
 * sees on the page with those that were proven. It reads the text of the cells and no hidden attribute: what is
 * compared is what is shown. All phrases stand in the page, in its language.
 */

import { hex } from "./builtins.js";
import { VerificationError } from "./errors.js";
import { VerifierKey } from "./notes.js";
import { verify_row_proof } from "./row_proofs.js";

const MINUS = "△";
const PROVENANCES = ["printed", "derived", "illustrative", "synthetic", "actual"];

/** An amount as the page prints it, in thousand won; half a thousand rounds away from zero, as in a budget book. */
export function thousand_won(amount_won) {
  const thousands = (BigInt(Math.abs(amount_won)) + 500n) / 1000n;
  const digits = String(thousands).replace(/\B(?=(?:[0-9]{3})+$)/g, ",");
  return amount_won < 0 && thousands > 0n ? MINUS + digits : digits;
}

/** The text of a cell as one sees it, without what is only heard. */
export function shown_text(cell) {
  const copy = cell.cloneNode(true);
  for (const heard of copy.querySelectorAll(".heard")) heard.remove();
  return copy.textContent.trim();
}

/** Each figure of a row of the page beside the one that was proven: [{column, shown, proven, same}]. */
export function compare_figures(row, { fiscal_year, cells }) {
  const year = { column: null, shown: shown_text(row.querySelector("th")), proven: String(fiscal_year) };
  const figures = [...row.querySelectorAll("td[data-column]")].map((cell) => ({
    column: cell.dataset.column,
    shown: shown_text(cell),
    proven: Number.isSafeInteger(cells[cell.dataset.column]) ? thousand_won(cells[cell.dataset.column]) : "",
  }));
  return [year, ...figures].map((figure) => ({ ...figure, same: figure.shown === figure.proven }));
}

/** What went wrong before anything could be compared: a phrase of the page, and details for who wants them. */
class CannotTell extends Error {
  constructor(phrase, { values = {}, cause = null, alarming = true } = {}) {
    super(phrase, { cause });
    Object.assign(this, { phrase, values, alarming });
  }
}

class SettlementCheck {
  #box;
  #phrases;
  #result;
  #runs = 0;

  constructor(box) {
    this.#box = box;
    this.#phrases = box.querySelector("template.phrases").content;
    this.#result = box.querySelector(".result");
    for (const part of box.querySelectorAll("[data-needs-script]")) part.hidden = false;
    for (const button of document.querySelectorAll("button[data-row-key]")) {
      button.hidden = false;
      button.addEventListener("click", () => this.#run(button));
    }
  }

  async #run(button) {
    // Of two clicks the later one counts.
    this.#runs += 1;
    const run = this.#runs;
    this.#show("waiting", { said: [element("p", {}, this.#say("checking"))] });
    const answer = await this.#answer(button);
    if (run === this.#runs) this.#show(...answer);
  }

  async #answer(button) {
    try {
      const vkey = this.#key();
      const file = await this.#fetch(button.dataset.proof);
      const { kind, reportKey: key, rowKey: row_key } = button.dataset;
      const proven = this.#verify(file, { vkey, kind, key, row_key });
      return this.#compared(button.closest("tr"), { proven, vkey, file });
    } catch (error) {
      // Whatever it was, the reader is told: a check that ends without a word would be taken for a good one.
      return this.#failed(error instanceof CannotTell ? error : new CannotTell("our_mistake", { cause: error }));
    }
  }

  #key() {
    try {
      return VerifierKey.parse(this.#box.querySelector("input").value.trim());
    } catch (cause) {
      throw new CannotTell("key_malformed", { cause, alarming: false });
    }
  }

  async #fetch(address) {
    let response;
    let file;
    try {
      response = await fetch(address, { cache: "no-store" });
      file = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new CannotTell("network", { cause, alarming: false });
    }
    if (response.status === 404) throw new CannotTell("not_published", { alarming: false });
    if (!response.ok) throw new CannotTell("no_answer", { values: { status: response.status }, alarming: false });
    return file;
  }

  #verify(file, asked) {
    let proven;
    try {
      proven = verify_row_proof(file, asked);
    } catch (cause) {
      throw cause instanceof VerificationError ? new CannotTell(cause.name, { cause }) : cause;
    }
    if (proven.row === null) throw new CannotTell("absent");
    return proven;
  }

  // --- what one sees ----------------------------------------------------------------------------------------------

  #compared(row, { proven, vkey, file }) {
    const cells = proven.row.cells ?? {};
    const figures = compare_figures(row, { fiscal_year: cells.fiscal_year, cells });
    const different = figures.filter(({ same }) => !same);
    const holds = different.length === 0 && figures.length > 1;
    const values = { year: figures[0].shown };
    const steps = [
      [true, this.#say("step_file", { bytes: grouped(file.length) })],
      [true, this.#say("step_seal", { size: grouped(proven.checkpoint.tree_size), origin: proven.checkpoint.origin })],
      [true, this.#say("step_entry", { index: grouped(proven.index), covered: grouped(proven.report.tree_size) })],
      [true, this.#say("step_row", { count: grouped(proven.report.row_count) })],
      [holds, this.#say(holds ? "step_same" : "step_differs")],
    ];
    const said = [
      element("p", { class: "verdict" }, this.#say(holds ? "verdict_good" : "verdict_bad", values)),
      ...different.map((figure) => element("p", { class: "difference" }, this.#difference(figure))),
    ];
    const shown = [
      element("ol", { class: "checks" }, ...steps.map(([good, text]) => this.#step(good, text))),
      element("p", { class: "unit" }, this.#say("unit_thousand")),
      this.#table(figures),
      element("p", { class: "note" }, this.#provenance(proven.row.provenance)),
      element("p", { class: "note" }, this.#say(this.#is_own_key(vkey) ? "own_key" : "page_key")),
      ...(holds ? [] : [element("p", { class: "note" }, this.#later(proven)), this.#what_now()]),
      element("p", { class: "note" }, this.#say("limit")),
      this.#details([
        ["row_key", proven.row_key],
        ["root_hash", hex(proven.checkpoint.root_hash)],
        ["rows_root", hex(proven.report.rows_root)],
        ["publisher", `${proven.source} ${proven.publisher_kid}`],
      ]),
    ];
    return [holds ? "good" : "bad", { said, shown }];
  }

  #failed(problem) {
    const cause = problem.cause === null ? "" : `${problem.cause.name}: ${problem.cause.message}`;
    const said = [
      element("p", { class: "verdict" }, this.#say(problem.alarming ? "verdict_no_proof" : "verdict_not_checked")),
      element("p", {}, this.#say(problem.phrase, problem.values)),
    ];
    const shown = [
      ...(problem.alarming ? [this.#what_now()] : []),
      ...(cause ? [this.#details([["cause", cause]])] : []),
    ];
    return [problem.alarming ? "bad" : "waiting", { said, shown }];
  }

  #difference({ column, shown, proven }) {
    return this.#say("difference", { column: this.#column(column), shown, proven: proven || "—" });
  }

  #column(column) {
    return this.#say(column === null ? "col_year" : `col_${column}`);
  }

  #step(good, text) {
    return element(
      "li",
      { class: good ? "ok" : "bad" },
      element("span", { class: "mark", "aria-hidden": "true" }, good ? "✓" : "✗"),
      element("span", { class: "heard" }, `${this.#say(good ? "holds" : "broken")}: `),
      element("span", {}, text),
    );
  }

  #table(figures) {
    const heads = ["figure", "on_page", "in_log", "compared"].map((name) => element("th", { scope: "col" }, this.#say(name)));
    const rows = figures.map((figure) =>
      element(
        "tr",
        { class: figure.same ? "" : "bad" },
        element("th", { scope: "row" }, this.#column(figure.column)),
        element("td", {}, figure.shown),
        element("td", {}, figure.proven || "—"),
        element("td", {}, this.#say(figure.same ? "same" : "different")),
      ),
    );
    return element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { class: "figures" },
        element("caption", { class: "heard" }, this.#say("comparison")),
        element("thead", {}, element("tr", {}, ...heads)),
        element("tbody", {}, ...rows),
      ),
    );
  }

  /** Where the figures come from, as the row itself says: an invented one is called so here as well. */
  #provenance(stated) {
    const known = PROVENANCES.filter((one) => Array.isArray(stated) && stated.includes(one));
    return `${this.#say("provenance")}: ${known.map((one) => this.#say(one)).join(", ") || "—"}`;
  }

  #details(facts) {
    const rows = facts.map(([name, value]) =>
      element("div", {}, element("dt", {}, this.#say(name)), element("dd", {}, element("code", { class: "hash" }, value))),
    );
    return element(
      "details",
      {},
      element("summary", {}, this.#say("for_experts")),
      element("dl", { class: "sheet" }, ...rows),
    );
  }

  #what_now() {
    return element("p", {}, this.#say("what_now"));
  }

  #later({ report }) {
    return this.#say("later", { covered: grouped(report.tree_size), page: grouped(this.#box.dataset.treeSize) });
  }

  #is_own_key(vkey) {
    return String(vkey) !== this.#box.dataset.pageKey;
  }

  /** What is said (and read aloud: the verdict), and what is only shown. */
  #show(state, { said, shown = [] }) {
    this.#result.dataset.state = state;
    this.#result.querySelector(".said").replaceChildren(...said);
    this.#result.querySelector(".shown").replaceChildren(...shown);
  }

  #say(phrase, values = {}) {
    const text = this.#phrases.querySelector(`[data-say="${phrase}"]`).textContent;
    return text.replace(/\{([a-z]+)\}/g, (_, name) => values[name]);
  }
}

function grouped(number) {
  return String(number).replace(/\B(?=(?:[0-9]{3})+$)/g, ",");
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const box = document.getElementById("settlement-check");
if (box !== null) new SettlementCheck(box);
