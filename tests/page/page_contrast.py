"""How well text can be read on its ground (WCAG 2.2, 1.4.3)."""


def worst_contrast(page, selector="#list-pane *, nav *"):
    """The smallest contrast of visible text in what the selector names: the list and the navigation, unless told."""
    return page.evaluate(
        """(selector) => {
            const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            const light = (color) => {
                const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((part) => linear(part / 255));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (node) => {
                const color = getComputedStyle(node).backgroundColor;
                return color.endsWith(', 0)') && node.parentElement ? ground(node.parentElement) : color;
            };
            const ratios = [...document.querySelectorAll(selector)]
                .filter((node) => node.checkVisibility() && !node.closest('.vh'))
                .filter((node) => [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim()))
                .map((node) => [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a))
                .map(([high, low]) => (high + 0.05) / (low + 0.05));
            return Math.min(...ratios);
        }""",
        selector,
    )
