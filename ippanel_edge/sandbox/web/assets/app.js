// The script of the phone inbox: it keeps the page current, copies codes, sends the forms, and handles the keyboard.
// The server renders everything; after an event the page is fetched again and its elements with data-live are updated.
"use strict";

const EVENTS = ["message", "status", "inbound", "clock", "fault", "reset"];
const MIN_PAUSE = 250; // milliseconds between two updates, however many events come
const PAUSE_FACTOR = 4; // the pause is at least this many times as long as an update takes, so the sandbox has time
const CLOCK_PAUSE = 2000; // milliseconds after which the time and the delivery states are read again

document.addEventListener("DOMContentLoaded", () => {
  const newPhones = new Set();
  const announcer = document.getElementById("announcer");
  const panelNames = [...document.querySelectorAll("[data-panel]")].map((link) => link.dataset.panel);
  const isNarrow = () => matchMedia("(max-width: 1180px)").matches;

  let announceTimer = 0;

  function announce(text) {
    announcer.textContent = "";
    clearTimeout(announceTimer); // of many messages at once, the newest is announced
    announceTimer = setTimeout(() => { announcer.textContent = text; }, 50); // an equal text is announced again
  }

  // Updating the page

  let timer = 0, isUpdating = false, isDue = false, nextUpdate = 0;

  function update() {
    isDue = true;
    if (!timer && !isUpdating) timer = setTimeout(run, Math.max(0, nextUpdate - Date.now()));
  }

  async function run() {
    timer = 0;
    isUpdating = true;
    isDue = false;
    const address = location.href, start = Date.now();
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" } });
      if (response.ok && address === location.href) apply(await response.text());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a TypeError: the server is not there, which #live shows
    } finally {
      isUpdating = false;
      nextUpdate = Date.now() + Math.max(MIN_PAUSE, PAUSE_FACTOR * (Date.now() - start));
      if (isDue) update();
    }
  }

  function apply(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const messages = document.getElementById("messages");
    const before = messages.dataset.phone;
    const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
    const focused = document.activeElement;
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (other) morph(part, document.adoptNode(other));
    }
    document.title = fresh.title;
    document.body.classList.toggle("shows-thread", fresh.body.classList.contains("shows-thread"));
    document.body.classList.toggle("shows-list", fresh.body.classList.contains("shows-list"));
    if (focused && focused.isConnected && document.activeElement !== focused) focused.focus();
    const isOther = before !== messages.dataset.phone;
    if (isOther) {
      for (const item of messages.querySelectorAll(".is-entering")) item.classList.remove("is-entering");
    }
    shownPhone = phoneInAddress();
    updateReply(fresh.getElementById("reply"), isOther);
    updateSettings(fresh.getElementById("change-settings"));
    if (isOther || isAtEnd) messages.scrollTop = messages.scrollHeight;
    prepare();
  }

  function prepare() {
    for (const fieldset of document.querySelectorAll("fieldset[disabled]")) fieldset.disabled = false;
    reply.querySelector("fieldset").disabled = phoneInAddress() !== shownPhone; // until the chosen phone is shown
    const links = phoneLinks();
    const current = links.find((link) => link.hasAttribute("aria-current")) ?? links[0];
    const tabStop = links.includes(document.activeElement) ? document.activeElement : current;
    for (const link of links) {
      link.tabIndex = link === tabStop ? 0 : -1;
      link.classList.toggle("is-new", newPhones.has(link.dataset.phone));
    }
  }

  // Addresses: the phone, the search and the panel are parts of the address, so that a reload keeps them

  function go(changes, { replace = false } = {}) {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
    }
    history[replace ? "replaceState" : "pushState"](null, "", address);
    showPanel();
    prepare();
    update();
  }

  addEventListener("popstate", () => {
    document.querySelector("#search input").value = new URL(location.href).searchParams.get("search") ?? "";
    showPanel();
    prepare();
    update();
  });

  function phoneInAddress() {
    return new URL(location.href).searchParams.get("phone") ?? "";
  }

  function chosenPanel() {
    return new URL(location.href).searchParams.get("panel");
  }

  function showPanel() {
    const chosen = chosenPanel();
    for (const name of panelNames) {
      document.getElementById(name).hidden = name !== chosen;
      document.getElementById(`open-${name}`).setAttribute("aria-expanded", String(name === chosen));
    }
    document.body.classList.toggle("shows-panel", panelNames.includes(chosen));
  }

  function openPanel(name) {
    go({ panel: name }, { replace: true });
    document.getElementById(`${name}-title`).focus();
  }

  function closePanel() {
    const name = chosenPanel();
    if (!panelNames.includes(name)) return false;
    go({ panel: null }, { replace: true });
    document.getElementById(`open-${name}`).focus();
    return true;
  }

  function choosePhone(number) {
    newPhones.delete(number);
    const panel = isNarrow() ? null : chosenPanel();
    go({ phone: number, limit: null, panel });
  }

  // The reply: while it is written, an update changes neither the phone that it leaves from nor the line that it goes to

  const reply = document.getElementById("reply");
  const { from, line, text } = reply.elements;
  const drafts = new Map(); // by phone: the text and the line of a reply that is not sent
  let shownPhone = phoneInAddress(); // the address of the shown conversation; "" shows the phone of the newest message
  let isSending = false;

  function keepPhone() {
    if (phoneInAddress()) return;
    shownPhone = from.value;
    go({ phone: from.value }, { replace: true });
  }

  reply.addEventListener("focusin", keepPhone);
  reply.addEventListener("input", () => {
    keepPhone();
    drafts.set(from.value, { text: text.value, line: line.value });
  });

  function updateReply(fresh, isOther) {
    reply.hidden = fresh.hidden;
    const isInUse = drafts.has(from.value) || reply.contains(document.activeElement);
    if (isInUse && !isOther) return;
    morph(line, document.adoptNode(fresh.elements.line));
    for (const option of line.options) option.selected = option.hasAttribute("selected");
    if (!isOther) return;
    from.value = fresh.elements.from.value;
    const draft = drafts.get(from.value);
    text.value = draft?.text ?? "";
    for (const option of line.options) if (option.value === draft?.line) option.selected = true;
    reply.querySelector("[data-result]").textContent = "";
  }

  async function sendReply(button) {
    if (isSending) return; // Enter was pressed twice
    isSending = true;
    try {
      const sent = await submit(reply, button);
      if (sent) removeDraft(sent.from, sent.text);
    } finally {
      isSending = false;
    }
  }

  function removeDraft(phone, sent) {
    const draft = drafts.get(phone) ?? { text: "" };
    const rest = draft.text.startsWith(sent) ? draft.text.slice(sent.length) : draft.text; // written while it was sent
    if (rest) draft.text = rest; else drafts.delete(phone);
    if (from.value === phone) text.value = rest;
  }

  // The settings: the fields follow the sandbox, except those that the user changed, and only these are saved

  const settings = document.getElementById("change-settings");

  function updateSettings(fresh) {
    for (const field of settings.querySelectorAll("[name]")) {
      const [current, initial] = propertiesOf(field);
      const value = fresh.elements[field.name][initial];
      const isKept = isChanged(field);
      if (field[initial] !== value) field[initial] = value;
      if (!isKept && field[current] !== value) field[current] = value;
    }
  }

  async function saveSettings(button) {
    const saved = await submit(settings, button) ?? {};
    for (const [name, value] of Object.entries(saved)) {
      const field = settings.elements[name];
      const [current, initial] = propertiesOf(field);
      if (valueOf(field) === value) field[initial] = field[current]; // it was not changed again meanwhile
    }
  }

  // Mouse and keyboard

  const phoneLinks = () => [...document.querySelectorAll("#phones .phone")];

  document.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // opens a tab or a window
    const target = event.target.closest("a, button");
    if (!target) return;
    if (target.dataset.phone && target.matches(".phone")) choosePhone(target.dataset.phone);
    else if (target.dataset.panel) chosenPanel() === target.dataset.panel ? closePanel() : openPanel(target.dataset.panel);
    else if (target.hasAttribute("data-close")) closePanel();
    else if (target.id === "back") go({ phone: null });
    else if (target.hasAttribute("data-clear-search")) search("");
    else if (target.dataset.limit) go({ limit: target.dataset.limit }, { replace: true });
    else if (target.dataset.copy) copy(target);
    else return;
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const field = event.target;
      if (field.matches?.("[type=search]") && field.value) search("");
      else if (!closePanel()) return;
      event.preventDefault();
    } else if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && event.target.matches(".phone")) {
      const links = phoneLinks();
      const index = links.indexOf(event.target);
      const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: links.length - 1 }[event.key];
      const link = links[Math.min(Math.max(next, 0), links.length - 1)];
      link.focus();
      prepare();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches("#reply textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });

  // Search

  let searchTimer = 0;

  function search(text) {
    document.querySelector("#search input").value = text;
    go({ search: text.trim() }, { replace: true });
  }

  document.querySelector("#search input").addEventListener("input", (event) => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => go({ search: event.target.value.trim() }, { replace: true }), 150);
  });

  // Forms

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "search") go({ search: form.elements.search.value.trim() }, { replace: true });
    else if (form.id === "other-phone") {
      choosePhone(form.elements.phone.value.trim());
      form.reset();
    } else if (form === reply) sendReply(event.submitter);
    else if (form === settings) saveSettings(event.submitter);
    else if (form.dataset.url) submit(form, event.submitter);
    else return;
    event.preventDefault();
  });

  /** Send a form to the control address and return the values that it accepted, or null. */
  async function submit(form, button) {
    if (form.dataset.confirm && !isConfirmed(form, button)) return null;
    const result = form.querySelector("[data-result]");
    const values = valuesOf(form, button);
    const body = form.dataset.method === "DELETE" ? undefined : JSON.stringify(values);
    result.textContent = "";
    try {
      const response = await fetch(form.dataset.url, {
        method: form.dataset.method,
        headers: body === undefined ? {} : { "Content-Type": "application/json" },
        body,
      });
      if (!response.ok) {
        result.textContent = await errorOf(response);
        return null;
      }
      announce(form.dataset.done);
      update();
      return values;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      result.textContent = "The sandbox does not answer; start it again and retry.";
      return null;
    }
  }

  async function errorOf(response) {
    try {
      return (await response.json()).error;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return `The sandbox answered HTTP ${response.status}.`;
    }
  }

  function isConfirmed(form, button) {
    if (form.classList.contains("is-asked")) {
      form.classList.remove("is-asked");
      return true;
    }
    const before = button.textContent;
    form.classList.add("is-asked");
    button.textContent = form.dataset.confirm;
    setTimeout(() => {
      form.classList.remove("is-asked");
      button.textContent = before;
    }, 4000);
    return false;
  }

  function valuesOf(form, button) {
    const values = {};
    const fields = [...form.elements].filter((field) => field.name && !field.matches(":disabled") && field.type !== "submit");
    for (const field of button?.name ? [...fields, button] : fields) {
      if (field.closest("[hidden]") || (form.dataset.method === "PATCH" && !isChanged(field))) continue;
      const value = valueOf(field);
      if (value !== undefined) values[field.name] = value;
    }
    return values;
  }

  /** Return the value of a field for the control address; undefined if it is empty. */
  function valueOf(field) {
    const isNumber = field.type === "number" || field.dataset.type === "number";
    if (field.type === "checkbox") return field.checked;
    if (field.value === "") return field.dataset.empty === "null" ? null : undefined;
    return isNumber ? Number(field.value) : field.value;
  }

  /** Return the names of the properties with the value of a field and with the value that the server rendered. */
  function propertiesOf(field) {
    return field.type === "checkbox" ? ["checked", "defaultChecked"] : ["value", "defaultValue"];
  }

  function isChanged(field) {
    const [current, initial] = propertiesOf(field);
    return field[current] !== field[initial];
  }

  const faultKind = document.getElementById("fault-kind");

  function showFaultFields() {
    for (const label of document.querySelectorAll("#add-fault [data-for]")) {
      label.hidden = label.dataset.for !== faultKind.value;
    }
  }

  faultKind.addEventListener("change", showFaultFields);

  // Copying

  async function copy(button) {
    const text = button.dataset.copy;
    await copyText(text);
    button.classList.add("is-copied");
    const verb = button.querySelector(".otp-verb");
    if (verb) verb.textContent = "Copied";
    setTimeout(() => {
      button.classList.remove("is-copied");
      if (verb) verb.textContent = "Copy";
    }, 2000);
    announce(`${text} copied`);
  }

  async function copyText(text) {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return;
    }
    // A host name other than localhost, over http, is no secure context and has no clipboard.
    const focused = document.activeElement;
    const field = document.createElement("textarea");
    field.className = "visually-hidden";
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    focused?.focus();
  }

  // Events

  let source = null;

  function listen() {
    if (source || document.hidden) return;
    source = new EventSource("/sandbox/events");
    source.addEventListener("open", () => {
      showLive(true);
      update(); // events between the rendering of the page and now
    });
    source.addEventListener("error", () => {
      showLive(false);
      if (source?.readyState !== EventSource.CLOSED) return; // the browser connects again on its own
      source = null;
      setTimeout(listen, CLOCK_PAUSE);
    });
    for (const name of EVENTS) source.addEventListener(name, (event) => receive(name, event));
  }

  function stopListening() {
    source?.close();
    source = null;
    showLive(false);
  }

  function showLive(isLive) {
    document.getElementById("live").classList.toggle("is-live", isLive);
    document.getElementById("live-text").textContent = isLive ? "Live" : "Connecting";
  }

  function receive(name, event) {
    const data = JSON.parse(event.data);
    if (name === "message") {
      if (data.number !== document.getElementById("messages").dataset.phone) newPhones.add(data.number);
      announce(`New message to ${data.number}: ${data.text}`);
    }
    update();
  }

  // A browser allows only six connections to a host, so a page that nobody sees must not hold one.
  document.addEventListener("visibilitychange", () => { if (document.hidden) stopListening(); else listen(); });
  addEventListener("pagehide", stopListening);
  addEventListener("pageshow", listen);

  setInterval(() => { if (!document.hidden) update(); }, CLOCK_PAUSE);

  showFaultFields();
  prepare();
  const messages = document.getElementById("messages");
  messages.scrollTop = messages.scrollHeight;
  listen();
});

/** Change `old` into `fresh`, which is consumed; elements with an equal data-key are kept, so focus and scrolling are too. */
function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.classList?.contains("is-copied")) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const keyOf = (node) => node.dataset?.key;
  const keyed = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = keyOf(next);
    const match = key ? keyed.get(key) : place && !keyOf(place) && place.nodeName === next.nodeName ? place : null;
    if (!match) {
      if (key) next.classList.add("is-entering");
      old.insertBefore(next, place);
    } else {
      if (match === place) place = place.nextSibling; else old.insertBefore(match, place);
      morph(match, next);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
