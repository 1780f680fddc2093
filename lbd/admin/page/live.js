// Replaces what the page shows every two seconds; without scripts it is what it was when it was loaded.
"use strict";
const told = document.getElementById("live");
async function refresh() {
  try {
    const answer = await fetch(location.href, {headers: {Accept: "text/html"}, cache: "no-store"});
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    told.textContent = "live";
  } catch {
    told.textContent = "lbd does not answer; these are the last figures";
  }
  setTimeout(refresh, document.hidden ? 10000 : 2000);
}
setTimeout(refresh, 2000);
