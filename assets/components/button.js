// A button that changes the state of the session; the server knows what its wish is.

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".w-action")
  button.textContent = data.label
  button.title = data.help
  button.classList.toggle("plain", data.plain)
  button.onclick = () => window.wobbleWish?.(data.wish)
}
