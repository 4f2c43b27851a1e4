// Links whatever stands for one piece of a text: its characters, its token and its id light up together, under the pointer, a
// finger or the keyboard, whose arrows go from token to token. It hears the whole document, so what is drawn anew is linked, too.

function light(name) {
  if (name === window.wobblePiece) return
  window.wobblePiece = name
  for (const node of document.querySelectorAll("[data-piece].lit")) node.classList.remove("lit")
  if (name === undefined) return
  for (const node of document.querySelectorAll(`[data-piece="${CSS.escape(name)}"]`)) node.classList.add("lit")
}

function step(event) {
  const token = event.target.closest?.("[role=option][data-piece]")
  const next = { ArrowRight: token?.nextElementSibling, ArrowLeft: token?.previousElementSibling }[event.key]
  if (!next?.dataset.piece) return
  // One token of the row is a stop of the Tab key.
  token.tabIndex = -1
  next.tabIndex = 0
  next.focus()
  event.preventDefault()
}

export default function () {
  if (window.wobblePiecesLinked) return
  window.wobblePiecesLinked = true
  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (event) => light(event.target.closest?.("[data-piece]")?.dataset.piece))
  }
  document.addEventListener("keydown", step)
}
