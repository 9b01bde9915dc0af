import { styleText } from 'node:util'

// `styleText` knows NO_COLOR, FORCE_COLOR and whether a person is looking.
type Style = Parameters<typeof styleText>[0]
const styled = (style: Style) => (text: string) => styleText(style, text, { stream: process.stdout })

export const bold = styled('bold')
export const dim = styled('dim')
export const red = styled('red')
export const green = styled('green')
export const yellow = styled('yellow')
