export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; color: #1f2330; background: #f6f7f9; max-width: 30rem; margin: 2.5rem auto; padding: 0 1rem }
main { background: #fff; border: 1px solid #d9dce3; border-radius: 10px; padding: 1.5rem 1.75rem }
h1 { font-size: 1.35rem; margin: 0 0 1rem } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem } section { border-bottom: 1px solid #eceef2; padding-bottom: 1rem }
ul { list-style: none; padding: 0; margin: 0 0 1rem } li { padding: .35rem 0; border-bottom: 1px solid #eceef2 }
form { display: grid; gap: .75rem; margin: .75rem 0 } label { display: grid; gap: .2rem; font-size: .9rem; color: #5c6375 }
input, select { font: inherit; color: #1f2330; padding: .45rem .6rem; border: 1px solid #c3c8d4; border-radius: 6px; background: #fff }
label:has([type=checkbox]) { display: flex; flex-direction: row-reverse; justify-content: flex-end; gap: .5rem }
button { font: inherit; font-weight: 600; color: #fff; background: #3a4fc4; border: 0; border-radius: 6px; padding: .6rem 1rem; cursor: pointer }
button[value=fail] { color: #b3261e; background: #fff; border: 1px solid #e0a3a3 }
[role=alert] { background: #fde8e8; border: 1px solid #e0a3a3; border-radius: 6px; padding: .6rem .9rem; margin: 0 0 1rem }
.total { font-weight: 600 } .quiet, footer { color: #5c6375; font-size: .9rem } footer { text-align: center; margin: 1rem } a { color: #3a4fc4 }`

/** Without it a browser asks for `/favicon.ico`, and the request log and its console fill with 404. */
export const NO_ICON = '<link rel="icon" href="data:,">'

/** A page that a customer is sent to, with a title; `body` is markup. */
export function htmlPage(title: string, body: string, error?: string): string {
  const said = error === undefined ? '' : `<p role="alert">${escaped(error)}</p>`
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${NO_ICON}<title>${escaped(title)}</title><style>${STYLE}</style><main><h1>${escaped(title)}</h1>${said}${body}</main><footer>Simulated Stripe: no money moves.</footer></html>`
}

/** The options of a choice, of values with their names. */
export function optionsOf(choices: readonly (readonly [string, string])[], chosen?: string): string {
  const options = choices.map(([value, name]) => {
    const selected = value === chosen ? ' selected' : ''
    return `<option value="${escaped(value)}"${selected}>${escaped(name)}</option>`
  })
  return options.join('')
}

/** A day in UTC as a customer reads it. */
export function dayOf(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 10)
}
