// A button that changes the state of the session; the server knows what its wish is.
// It is not shown before there is somebody to hear it (wishes.js): a click until then would be lost.

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".w-action")
  button.textContent = data.label
  button.title = data.help
  button.classList.toggle("plain", data.plain)
  button.style.visibility = window.wobbleWish ? "" : "hidden"
  button.onclick = () => window.wobbleWish(data.wish)
}
