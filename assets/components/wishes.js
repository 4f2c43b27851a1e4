// Carries what buttons on a page ask for. It stands beside what all pages share, so each message holds its value, also
// that of a link which is clicked at once after a button; a click of Streamlit's own buttons is lost then.

export default function ({ data, setStateValue }) {
  window.wobbleWishes = (window.wobbleWishes ?? []).filter(({ number }) => number > data.heard)
  window.wobbleWish = (wish) => {
    window.wobbleWished = Math.max(Date.now(), (window.wobbleWished ?? 0) + 1)
    window.wobbleWishes.push({ wish, number: window.wobbleWished })
    setStateValue("wishes", [...window.wobbleWishes])
  }
  for (const button of document.querySelectorAll(".w-action")) button.style.visibility = ""
}
