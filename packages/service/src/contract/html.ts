import { LANGUAGE } from '@lockstep/core/printed-amount'
import type { PrintedDocument, PrintedSection } from '../document/printed.ts'

/** A page of its own: no script, nothing to fetch, dark on white, and good on paper. */
export function contractHtml({ title, subtitle, sections, footer }: PrintedDocument): string {
  return `<!doctype html>
<html lang="${LANGUAGE}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="subtitle">${escapeHtml(subtitle)}</p>
${sections.map(sectionHtml).join('\n')}
<footer>${footer.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</footer>
</main>
</body>
</html>
`
}

function sectionHtml({ title, rows }: PrintedSection): string {
  const items = rows.map(([label, lines]) => {
    const head = label === '' ? '' : `<dt>${escapeHtml(label)}</dt>`
    return `<div>${head}<dd>${lines.map(escapeHtml).join('<br>')}</dd></div>`
  })
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n<dl>\n${items.join('\n')}\n</dl>\n</section>`
}

const STYLE = `
@page { size: A4; margin: 20mm }
body { margin: 0; background: #fff; color: #1a1a1a; font: 11pt/1.5 system-ui, sans-serif }
main { max-width: 42rem; margin: 0 auto; padding: 2rem 1.5rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 }
.subtitle { color: #555; margin: .25rem 0 0 }
section { break-inside: avoid; margin-top: 1.75rem }
h2 { font-size: 1rem; margin: 0 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid #ccc }
dl { margin: 0 }
dl div { display: grid; grid-template-columns: 11rem 1fr; gap: 1rem; padding: .25rem 0 }
dt { color: #555 }
dd { margin: 0; grid-column: 2; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
footer { margin-top: 2rem; color: #555; font: 8pt/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
footer p { margin: 0 }
@media (max-width: 32rem) { dl div { display: block } }
@media print { main { padding: 0; max-width: none } }
`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
