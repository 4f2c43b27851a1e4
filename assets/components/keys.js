// Keys of the keyboard that change the state, as buttons do (wishes.js). They are left to what has the focus and uses
// them itself; Escape lets go of it.

const OWN = `input, textarea, select, table, canvas, pre, .js-plotly-plot, .w-variants, [contenteditable="true"],
  ${["combobox", "grid", "listbox", "menu", "option", "radio", "slider", "spinbutton", "tab", "toolbar"].map((role) => `[role="${role}"]`)}`
// What Escape closes.
const OPEN = "[role='dialog'], [data-testid='stPopoverBody'], [aria-label='Close fullscreen']"

export default function ({ data, parentElement }) {
  const { wishes, said } = data
  const node = parentElement.querySelector(".w-keys")
  node.textContent = said
  document.removeEventListener("keydown", node.listen)
  node.listen = (event) => {
    const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat
    if (!(event.key in wishes) || held || event.defaultPrevented || document.querySelector(OPEN)) return
    if (event.target.closest(OWN)) {
      if (event.key === "Escape") event.target.blur()
      return
    }
    event.preventDefault()
    window.wobbleWish?.(wishes[event.key])
  }
  document.addEventListener("keydown", node.listen)
  return () => document.removeEventListener("keydown", node.listen)
}
