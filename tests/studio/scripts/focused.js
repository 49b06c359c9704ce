// Which element has the focus, if it shows that, and if something lies over it.
() => {
  const element = document.activeElement
  const index = window.operableElements.indexOf(element)
  if (index < 0) return { index }
  const style = getComputedStyle(element)
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
  const visible = outlined || style.boxShadow !== "none"
  const box = element.getBoundingClientRect()
  const parts = [0.15, 0.5, 0.85]
  const points = parts.flatMap((x) => parts.map((y) => [box.left + x * box.width, box.top + y * box.height]))
  const open = ([x, y]) => {
    const top = document.elementFromPoint(x, y)
    return top && (element.contains(top) || top.contains(element) || (element.labels && [...element.labels].some((l) => l.contains(top))))
  }
  return { index, visible, covered: !points.some(open) }
}
