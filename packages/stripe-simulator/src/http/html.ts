export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

/** A page with a title; `body` is markup. */
export function htmlPage(title: string, body: string, error?: string): string {
  const said = error === undefined ? '' : `<p role="alert">${escaped(error)}</p>`
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${said}${body}</html>`
}
