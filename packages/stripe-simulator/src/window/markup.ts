import { escaped } from '../http/html.ts'

/** A piece of a page. Whatever is put into it was escaped, or is such a piece itself. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Content = Markup | string | number | null | undefined | readonly Content[]

/** Writes a piece of a page: html`<p>${text}</p>`. Texts are escaped, lists are joined, null is nothing. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + textOf(contents[i - 1]) + part))
}

function textOf(content: Content): string {
  if (content === null || content === undefined) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'object') return content.map(textOf).join('')
  return escaped(String(content))
}
