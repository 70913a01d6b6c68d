"use strict";
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const reveal = (element) =>
    element.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  const typing = (target) => target.closest("input:not([type=range]), textarea, select");

  document.documentElement.classList.add("js");
  startSearch();
  const audio = one("audio");
  if (audio) startPlayer(audio);

  // ---- the player: times on the page count from the recording's start, the sound begins at `offset`

  function startPlayer(audio) {
    const offset = Number(audio.dataset.offset);
    const words = all("#transcript [data-start]");
    const starts = words.map((word) => Number(word.dataset.start));
    const position = one("#position");
    const toggle = one("#toggle");
    const follow = one("#follow");
    let current = null; // the word being spoken
    let quote = null; // the button of the quote being played, which ends at `stopAt`
    let stopAt = Infinity;
    let following = false; // whether the page scrolls along
    let dragging = false;

    document.body.classList.add("has-player");
    audio.src = blobUrl(audio.getAttribute("src"));
    audio.controls = false;
    audio.preload = "metadata";

    const now = () => audio.currentTime + offset;

    function seek(time) {
      stopAt = Infinity;
      setQuote(null);
      audio.currentTime = Math.max(0, time - offset);
      show();
    }

    function play() {
      audio.play().catch((error) => {
        if (error.name !== "AbortError") trouble();
      });
    }

    function playFrom(time) {
      seek(time);
      following = true;
      play();
    }

    function playQuote(button) {
      if (button === quote && !audio.paused) return audio.pause();
      const from = Number(button.dataset.from);
      const to = Number(button.dataset.to);
      const resumes = button === quote && now() > from && now() < to - 0.05;
      if (!resumes) seek(from);
      stopAt = to;
      setQuote(button);
      following = false;
      play();
    }

    const press = (button, on) => button.setAttribute("aria-pressed", String(on));

    function setQuote(button) {
      if (quote && quote !== button) press(quote, false);
      quote = button;
    }

    // Runs with every picture while playing, and with the player's own events when the page is out of sight.
    function watch() {
      if (now() >= stopAt) {
        stopAt = Infinity;
        audio.pause();
        setQuote(null);
      }
      show();
    }

    function loop() {
      watch();
      if (!audio.paused) requestAnimationFrame(loop);
    }

    function show() {
      const time = now();
      one("#now").textContent = clock(time);
      if (!dragging) position.value = time;
      position.setAttribute("aria-valuetext", clock(time));
      const word = words[before(starts, time + 0.02)] || null;
      if (word !== current) {
        if (current) current.classList.remove("now");
        if (word) word.classList.add("now");
        const moved = word && (!current || word.closest(".paragraph") !== current.closest(".paragraph"));
        current = word;
        if (word && following && !audio.paused && (moved || outOfSight(word))) reveal(word);
      }
      follow.hidden = !current || following || (audio.paused && audio.currentTime === 0);
    }

    function outOfSight(element) {
      const box = element.getBoundingClientRect();
      return box.top < 80 || box.bottom > innerHeight - 110;
    }

    function trouble() {
      one("#trouble").textContent = "This browser cannot play the sound.";
    }

    audio.addEventListener("play", () => {
      press(toggle, true);
      toggle.setAttribute("aria-label", "Pause");
      if (quote) press(quote, true);
      loop();
    });
    audio.addEventListener("pause", () => {
      press(toggle, false);
      toggle.setAttribute("aria-label", "Play");
      if (quote) press(quote, false);
      show();
    });
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) audio.addEventListener(name, watch);
    audio.addEventListener("error", trouble);

    function toggleSound() {
      if (!audio.paused) return audio.pause();
      const seen = one("#transcript").getBoundingClientRect();
      following = !quote && seen.top < innerHeight / 2 && seen.bottom > 0;
      play();
    }
    toggle.addEventListener("click", toggleSound);
    follow.addEventListener("click", () => {
      following = true;
      if (current) reveal(current);
      show();
    });
    one("#speed").addEventListener("change", (event) => {
      audio.playbackRate = Number(event.target.value);
    });
    position.addEventListener("input", () => {
      dragging = true;
      one("#now").textContent = clock(Number(position.value));
    });
    position.addEventListener("change", () => {
      dragging = false;
      seek(Number(position.value));
    });

    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-from]");
      if (button) return playQuote(button);
      const link = event.target.closest("a[data-seek]");
      if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
        event.preventDefault();
        return playFrom(Number(link.dataset.seek));
      }
      const word = event.target.closest("#transcript [data-start]");
      if (word && getSelection().isCollapsed) playFrom(Number(word.dataset.start));
    });

    document.addEventListener("keydown", (event) => {
      if (["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"].includes(event.key)) yieldTo();
      if (event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
      if (event.key === " " && !event.target.closest("button, a, summary")) {
        event.preventDefault();
        toggleSound();
      } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        event.preventDefault();
        seek(now() + (event.key === "ArrowLeft" ? -5 : 5));
      }
    });

    // The reader scrolls: the page stops following until asked again.
    function yieldTo() {
      following = false;
    }
    for (const name of ["wheel", "touchmove"]) addEventListener(name, yieldTo, { passive: true });
    addEventListener("pointerdown", (event) => {
      if (event.target === document.documentElement) yieldTo(); // the scroll bar
    });
  }

  function blobUrl(dataUrl) {
    const binary = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    return URL.createObjectURL(new Blob([bytes], { type: "audio/mp4" }));
  }

  // The place of the last number in a sorted list that is not above `limit`; -1 if there is none.
  function before(numbers, limit) {
    let low = 0;
    let high = numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[middle] <= limit) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function clock(time) {
    const whole = Math.max(0, Math.floor(time));
    const parts = [Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
    if (whole >= 3600) parts.splice(0, 1, Math.floor(whole / 3600), String(parts[0]).padStart(2, "0"));
    return parts.join(":");
  }

  // ---- the search: letters compare without case and accents, matches may run over several words

  function startSearch() {
    const box = one("#search");
    const count = one("#hits");
    let index = null; // per paragraph: its folded text and where each word lies in it
    let hits = []; // the words of each match
    let at = -1;
    let timer = 0;

    const fold = (text) => Array.from({ length: text.length }, (_, i) => foldOne(text[i])).join("");
    const foldOne = (letter) => (letter.normalize("NFD")[0] || letter).toLowerCase()[0] || letter;

    function build() {
      return all("#transcript .paragraph .text").map((paragraph) => {
        const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
        const spans = [];
        let text = "";
        while (walker.nextNode()) {
          const node = walker.currentNode;
          if (node.parentElement.className === "note") continue;
          const word = node.parentElement.closest("[data-start]");
          if (word) spans.push({ word, from: text.length, to: text.length + node.data.length });
          text += node.data;
        }
        return { text: fold(text), spans };
      });
    }

    function find() {
      clearTimeout(timer);
      timer = 0;
      for (const word of hits.flat()) word.classList.remove("hit", "hit-now");
      hits = [];
      at = -1;
      const query = fold(box.value.trim().replace(/\s+/g, " "));
      if (query.length >= 2) {
        index = index || build();
        for (const { text, spans } of index) {
          for (let from = text.indexOf(query); from >= 0; from = text.indexOf(query, from + query.length)) {
            const to = from + query.length;
            hits.push(spans.filter((span) => span.to > from && span.from < to).map((span) => span.word));
          }
        }
        for (const word of hits.flat()) word.classList.add("hit");
      }
      tell(query);
    }

    function tell(query) {
      const place = at >= 0 ? `${at + 1} of ` : "";
      const plural = hits.length === 1 ? "match" : "matches";
      count.textContent = query.length < 2 ? "" : hits.length ? `${place}${hits.length} ${plural}` : "no match";
      one("#earlier").hidden = one("#later").hidden = !hits.length;
    }

    function go(step) {
      if (timer) find();
      if (!hits.length) return;
      for (const word of hits[at] || []) word.classList.remove("hit-now");
      at = at < 0 && step < 0 ? hits.length - 1 : (at + step + hits.length) % hits.length;
      for (const word of hits[at]) word.classList.add("hit-now");
      if (hits[at].length) reveal(hits[at][0]);
      tell(box.value.trim());
    }

    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(find, 120);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
      if (event.key !== "Escape") return;
      box.value = "";
      find();
      box.blur();
    });
    one("#later").addEventListener("click", () => go(1));
    one("#earlier").addEventListener("click", () => go(-1));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      event.preventDefault();
      box.focus();
      box.select();
    });
  }
})();
