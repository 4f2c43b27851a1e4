// Copies the address, which holds the state of the page, for others to open.

// With model and sentence also where they are the defaults, which are others on another server or another day.
function link(always, host) {
  const url = new URL(window.location)
  for (const [name, values] of Object.entries(always)) {
    if (!url.searchParams.has(name)) for (const value of values) url.searchParams.append(name, value)
  }
  if (host) url.host = host
  return url.href
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Pages that are served without https have no clipboard of their own, and a browser may refuse it.
    const area = Object.assign(document.createElement("textarea"), { value: text })
    document.body.append(area)
    area.select()
    const done = document.execCommand("copy")
    area.remove()
    return done
  }
}

// What becomes of the link is said in the place that copy_link.py draws below.
async function copy(always, host, elsewhere) {
  const text = link(always, host)
  const here = /^(localhost|127\.|\[::1\])/.test(new URL(text).hostname)
  const said = document.querySelector(".w-copied")
  if (await copied(text)) {
    said.replaceChildren(
      here
        ? "Copied. Only this computer can open it."
        : host
          ? "Copied. Others in this network can open it, unless a firewall keeps them out."
          : "Copied.",
    )
  } else {
    const field = Object.assign(document.createElement("input"), { value: text, readOnly: true, ariaLabel: "The link" })
    said.replaceChildren("The browser refuses to copy. Copy it by hand:", field)
    field.select()
  }
  if (here && elsewhere) {
    const other = Object.assign(document.createElement("button"), { type: "button", className: "w-action" })
    other.textContent = `Copy it for others: ${elsewhere}`
    other.onclick = () => copy(always, elsewhere, "")
    said.append(other)
  }
  said.scrollIntoView({ block: "nearest" })
}

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".w-copy")
  button.title = "The address holds the models, the sentence and everything that is set: whoever opens it sees the same numbers."
  document.querySelector(".w-copied")?.replaceChildren()
  button.onclick = () => copy(data.always, "", data.host)
}
