// Trades a token for a cookie that no script can read. The token goes in a header, never in an address.

const form = document.getElementById("signin");
const said = document.getElementById("said");

// Before this runs, a browser would send the form itself, and load the page again without a word.
form.querySelector("button").disabled = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.getElementById("token").value.trim();
  said.textContent = "";
  try {
    const answer = await fetch("/api/session", { headers: { Authorization: `Bearer ${token}` } });
    // The form may stand at the page's own address, which a browser would not load again by itself.
    if (answer.ok && location.pathname === "/") location.reload();
    else if (answer.ok) location.replace(`/${location.hash}`);
    else said.textContent = "That is none of the exporter's tokens.";
  } catch {
    // A token with signs that no header can hold, or nobody answers.
    said.textContent = "The exporter did not take it; is it running, and is the token whole?";
  }
});
