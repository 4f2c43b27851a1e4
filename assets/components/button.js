// A button that changes the state of the session; the server knows what its wish is.
// It is not shown before there is somebody to hear it (wishes.js): a click until then would be lost.

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".w-action")
  const icon = Object.assign(document.createElement("span"), { className: "icon", textContent: data.icon, ariaHidden: "true" })
  button.replaceChildren(...(data.icon ? [icon] : []), data.label)
  button.title = data.help
  button.disabled = data.disabled
  for (const look of ["plain", "primary"]) button.classList.toggle(look, data[look])
  button.style.visibility = window.wobbleWish ? "" : "hidden"
  button.onclick = () => window.wobbleWish(data.wish)
}
