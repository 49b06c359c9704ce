// Texts of the page whose contrast with what is behind them is below WCAG 2 AA: 4.5, or 3 where letters are large.
() => {
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  const pen = pixel.getContext("2d", { willReadFrequently: true })
  const known = new Map()
  const rgba = (text) => {
    if (!known.has(text)) {
      pen.clearRect(0, 0, 1, 1)
      pen.fillStyle = text
      pen.fillRect(0, 0, 1, 1)
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data
      known.set(text, [r, g, b, a / 255])
    }
    return known.get(text)
  }
  const over = (front, back) => front.slice(0, 3).map((value, i) => value * front[3] + back[i] * (1 - front[3]))
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches
    && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18] : [255, 255, 255]
  const behind = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor)
      if (colour[3] > 0) layers.push(colour)
      if (colour[3] === 1) break
    }
    return layers.reverse().reduce((back, layer) => over(layer, back), canvas)
  }
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const ratio = (one, two) => {
    const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }
  const opacity = (element) => {
    let part = 1
    for (let at = element; at; at = at.parentElement) part *= parseFloat(getComputedStyle(at).opacity)
    return part
  }
  const poor = []
  const check = (element, style, text) => {
    const back = behind(element)
    const colour = [...rgba(style.color)]
    colour[3] *= opacity(element)
    const size = parseFloat(style.fontSize)
    const needed = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700) ? 3 : 4.5
    const found = ratio(over(colour, back), back)
    if (found < needed) {
      const where = `${element.tagName.toLowerCase()}${element.id && "#" + element.id}.${element.className} '${text.slice(0, 60)}'`
      poor.push({ ratio: found, needed, colour: style.color, background: back.map(Math.round).join(","), where })
    }
  }
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  // WCAG excepts what is disabled.
  const enabled = (element) => !element.closest(":disabled, [aria-disabled=true]")
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const done = new Set()
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    const text = texts.currentNode.textContent.trim()
    if (!text || done.has(element) || ["SCRIPT", "STYLE", "OPTION", "NOSCRIPT"].includes(element.tagName)) continue
    done.add(element)
    if (shown(element) && enabled(element)) check(element, getComputedStyle(element), text)
  }
  for (const element of document.querySelectorAll("input, select, textarea")) {
    if (!shown(element) || !enabled(element) || ["checkbox", "radio", "range", "hidden"].includes(element.type)) continue
    check(element, getComputedStyle(element), element.value || element.name)
    if (element.placeholder && !element.value) check(element, getComputedStyle(element, "::placeholder"), element.placeholder)
  }
  return poor
}
