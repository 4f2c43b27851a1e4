// The table of variants. Data arrive as JSON and are only ever written with textContent: no text can become markup.

function element(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

// A place to break after each visible space: the mark itself is not white space.
function segments(parts) {
  const node = element("div", "w-text")
  for (const [text, edited] of parts) {
    const part = element(edited ? "mark" : "span")
    for (const word of text.split(/(?<=\u00b7)/)) part.append(word, document.createElement("wbr"))
    node.append(part)
  }
  return node
}

function tokens(list) {
  const node = element("div", "w-tokens")
  for (const [text, id, state] of list) {
    const chip = element("span", `w-token ${state}`, text)
    chip.append(element("small", "", String(id)))
    node.append(chip)
  }
  return node
}

function bars(list) {
  const node = element("div", "w-bars")
  for (const bar of list) {
    const track = element("span", "track")
    if (bar.share !== null) {
      const fill = element("span", "fill")
      fill.style.width = `${100 * bar.share}%`
      fill.style.background = bar.color
      const tick = element("span", "tick")
      tick.style.left = `calc(${100 * bar.reference_share}% - 1px)`
      tick.title = `your sentence: ${bar.reference}`
      track.append(fill, tick)
    }
    const name = element("span", "name", bar.label)
    name.title = bar.label
    node.append(name, track, element("span", "p", bar.value))
  }
  return node
}

function cell(answer) {
  const node = element("div", "cell")
  if (!answer) return node
  const left = element("div")
  const fate = element("div", "fate")
  fate.append(element("span", `w-badge ${answer.fate.split(" ")[0]}`, answer.fate))
  fate.append(element("span", "w-faint", answer.said))
  left.append(fate, tokens(answer.tokens))
  node.append(left, bars(answer.bars))
  return node
}

export default function (component) {
  const { data, parentElement, setStateValue } = component
  const root = parentElement.querySelector(".w-variants")
  root.style.setProperty("--models", data.models.length)
  const scrolled = root.scrollTop
  const children = []
  const head = element("div", "head")
  head.append(element("span", "", data.one), ...data.models.map((name) => element("span", "", name)))
  children.push(head)
  for (const row of data.rows) {
    const node = element("div", "row")
    node.tabIndex = 0
    node.setAttribute("role", "option")
    node.setAttribute("aria-selected", String(row.key === data.chosen))
    node.dataset.key = row.key
    const what = element("div", "what")
    const name = element("b", "", row.called)
    name.title = row.key
    what.append(name)
    if (row.description !== row.called) what.append(element("span", "w-faint", row.description))
    what.append(segments(row.text))
    node.append(what, ...row.answers.map(cell))
    const choose = () => setStateValue("chosen", { key: row.key, number: Date.now() })
    node.onclick = choose
    node.onkeydown = (event) => {
      const next = { ArrowDown: node.nextElementSibling, ArrowUp: node.previousElementSibling }[event.key]
      if (event.key === "Enter" || event.key === " ") choose()
      else if (next && next.tabIndex === 0) next.focus()
      else return
      event.preventDefault()
    }
    children.push(node)
  }
  if (!data.rows.length) children.push(element("div", "nothing", `No ${data.one} passes the filter.`))
  root.replaceChildren(...children)
  root.scrollTop = scrolled
}
