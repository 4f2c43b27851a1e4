// Keeps the address in step with the state, so that it can be copied, reloaded and gone back to.
// It replaces the entry of the page in the history: an entry stands for a page, not for each of its settings.

// Streamlit adds an entry to the history whenever a run begins for another page than the address names. Such a run may
// be that of a page that was left by Back or Forward meanwhile, and the entry would take the place of all that lie ahead.
function guardHistory() {
  if (window.wobbleGoneTo !== undefined) return
  window.wobbleGoneTo = null
  const push = window.history.pushState.bind(window.history)
  window.history.pushState = (state, title, url) => {
    const path = new URL(url, window.location).pathname
    if (window.wobbleGoneTo === null || window.wobbleGoneTo === path) push(state, title, url)
  }
  window.addEventListener("popstate", () => (window.wobbleGoneTo = window.location.pathname))
  // A link that is clicked comes after all of that.
  window.addEventListener("click", () => (window.wobbleGoneTo = null), true)
}

export default function ({ data }) {
  const { page, query, number } = data
  guardHistory()
  const last = window.location.pathname.split("/").pop()
  // What arrives late speaks of a page that was left, or of a state that was followed by another.
  if (last !== page || number <= (window.wobbleAddress ?? 0)) return
  window.wobbleAddress = number
  window.wobbleGoneTo = null
  const own = [...new URLSearchParams(window.location.search)].filter(([name]) => name.startsWith("embed"))
  const search = [query, new URLSearchParams(own).toString()].filter(Boolean).join("&")
  window.history.replaceState(window.history.state, "", window.location.pathname + (search && `?${search}`))
  for (const link of document.querySelectorAll("[data-testid='stPageLink-NavLink']")) {
    if (link.getAttribute("href").split("?")[0].split("/").pop() === page) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
}
