import { escaped } from './plain-pages.ts'
import { docsPathOf } from './problem-document.ts'

/**
 * The body of a problem's page as HTML. Its pages are written in headings, paragraphs, lists, code, links and stress,
 * and no more of Markdown is understood.
 */
export function problemHtml(markdown: string): string {
  return markdown
    .split(/^```\w*\n([\s\S]*?)^```$/m)
    .map((part, i) => (i % 2 === 1 ? `<pre><code>${escaped(part)}</code></pre>` : blocksOf(part)))
    .join('\n')
}

function blocksOf(text: string): string {
  return text
    .split(/\n{2,}|\n(?=- )/)
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .map(blockOf)
    .join('\n')
    .replaceAll(/(?:<li>[\s\S]*?<\/li>\n?)+/g, (items) => `<ul>\n${items.trimEnd()}\n</ul>\n`)
}

function blockOf(block: string): string {
  if (block.startsWith('# ')) return `<h1>${inline(block.slice(2))}</h1>`
  if (block.startsWith('- ')) return `<li>${inline(block.slice(2))}</li>`
  return `<p>${inline(block)}</p>`
}

function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith('`') ? `<code>${escaped(part.slice(1, -1))}</code>` : escaped(part)))
    .join('')
    .replaceAll(/\*\*(.+?)\*\*/gs, '<strong>$1</strong>')
    .replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, words: string, to: string) => linked(words, to))
}

/** To another code's page. Other documents come with the sources and are not served here: they are named. */
function linked(words: string, to: string): string {
  const [, code] = /^(\w+)\.md$/.exec(to) ?? []
  if (code !== undefined) return `<a href="${docsPathOf(':code').replace(':code', code)}">${words}</a>`
  return to.startsWith('https:')
    ? `<a href="${to}">${words}</a>`
    : `${words} (<code>${to.replace('..', 'docs')}</code>)`
}
