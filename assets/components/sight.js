// Brings something into sight once for each time that the server says so: what a click changed may lie out of sight.

export default function ({ data, parentElement }) {
  const { name, number, top } = data
  const seen = (window.wobbleSeen ??= {})
  const before = seen[name] ?? 0
  seen[name] = number
  if (number <= before) return
  // Plotly keeps what hovers over a dot until the pointer moves, wherever the dot has gone.
  for (const area of document.querySelectorAll(".nsewdrag")) area.dispatchEvent(new MouseEvent("mouseout"))
  const place = parentElement.closest(`[data-testid=${top ? "stMainBlockContainer" : "stVerticalBlock"}]`)
  // When what was sent with it is drawn.
  setTimeout(() => place?.scrollIntoView({ block: top ? "start" : "nearest" }), top ? 0 : 150)
}
