import { Marked } from 'marked'
import { docsPathOf } from './problem-document.ts'

/** The body of a problem's page as HTML. */
export function problemHtml(markdown: string): string {
  return pages.parse(markdown, { async: false })
}

const pages = new Marked({
  renderer: {
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens)
      const [, code] = /^(\w+)\.md$/.exec(href) ?? []
      if (code !== undefined) return `<a href="${docsPathOf(':code').replace(':code', code)}">${words}</a>`
      // Other documents come with the sources and are not served here: they are named.
      return href.startsWith('https:')
        ? `<a href="${href}">${words}</a>`
        : `${words} (<code>${href.replace('..', 'docs')}</code>)`
    },
  },
})
