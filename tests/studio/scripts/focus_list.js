// Names of everything that a person can operate; kept in the page for `focused.js`.
() => {
  const operable = "a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls], [tabindex]:not([tabindex='-1'])"
  const groups = new Set()
  const reached = (element) => {
    if (element.matches(":disabled, [tabindex='-1']") || element.closest("[inert]")) return false
    if (!element.checkVisibility({ visibilityProperty: true })) return false
    // Of radio buttons with one name, Tab reaches one; arrow keys choose.
    if (element.type !== "radio") return true
    const group = [...document.getElementsByName(element.name)]
    const chosen = group.find((one) => one.checked) || group[0]
    if (element !== chosen || groups.has(element.name)) return false
    return groups.add(element.name)
  }
  window.operableElements = [...document.querySelectorAll(operable)].filter(reached)
  const name = (element) => {
    const label = element.getAttribute("aria-label") || element.name || element.textContent.trim() || element.href
    return `${element.tagName.toLowerCase()} '${String(label).slice(0, 50)}'`
  }
  return window.operableElements.map(name)
}
