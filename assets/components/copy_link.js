// Copies the address, which holds the whole state of the page.

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  // Pages that are served without https have no clipboard of their own.
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

export default function (component) {
  const button = component.parentElement.querySelector(".w-copy")
  button.title = "The address holds the model, the sentence and everything that is set: who opens it sees the same numbers."
  button.onclick = async () => {
    await copy(window.location.href)
    button.textContent = "Copied"
    setTimeout(() => (button.textContent = "Copy link"), 1500)
  }
}
