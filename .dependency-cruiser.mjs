/**
 * The room rules of docs/ARCHITECTURE.md: a room imports only rooms of the columns to its left, and no part imports a
 * part. `npm run check` enforces them.
 */
const columns = [
  ['kit'],
  ['http', 'tokens', 'store', 'policy'],
  ['oauth'],
  ['oidc'],
  ['realm', 'broker', 'proxy', 'gateway', 'console', 'demo'],
  ['insight', 'kubernetes', 'config'],
  ['app'],
  ['cli'],
]

/** @param {string[]} rooms */
const anyOf = (rooms) => `^src/(${rooms.join('|')})/`

const roomRules = columns
  .flatMap((rooms, column) =>
    rooms.map((room) => {
      const notAllowed = columns
        .slice(column)
        .flat()
        .filter((other) => other !== room)
      return {
        name: `${room}-imports-only-rooms-to-its-left`,
        severity: 'error',
        from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
        to: { path: anyOf(notAllowed) },
      }
    }),
  )
  .filter((rule) => rule.to.path !== anyOf([]))

export default {
  forbidden: [
    ...roomRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing-imports-main', severity: 'error', from: { path: '^src/' }, to: { path: '^src/main\\.mjs$' } },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-dev-dependencies-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^node_modules/.*/node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
