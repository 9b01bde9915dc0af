/** `prepack` of the sources: nobody could use what `npm pack` and `npm publish` would make of them. */
console.error(
  'Here are the sources, which Node does not run below node_modules. What is published is built by',
)
console.error('`npm run pack -- NAME` at the root.')
process.exit(1)
