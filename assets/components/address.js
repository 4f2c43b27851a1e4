// Keeps the address in step with the state, so that it can be copied, reloaded and gone back to.
// It replaces the entry of the page in the history: an entry stands for a page, not for each of its settings.

export default function ({ data }) {
  const { page, query, number } = data
  const last = window.location.pathname.split("/").pop()
  // What arrives late speaks of a page that was left, or of a state that was followed by another.
  if (last !== page || number <= (window.wobbleAddress ?? 0)) return
  window.wobbleAddress = number
  const own = [...new URLSearchParams(window.location.search)].filter(([name]) => name.startsWith("embed"))
  const search = [query, new URLSearchParams(own).toString()].filter(Boolean).join("&")
  window.history.replaceState(window.history.state, "", window.location.pathname + (search && `?${search}`))
}
