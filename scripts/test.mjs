/** `npm test`: the checks of `npm run check`, then every ordinary test; closes with one line of counts. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import process from 'node:process'

const results = 'artifacts/test-results.json'
mkdirSync('artifacts', { recursive: true })
rmSync(results, { force: true })

const check = run('node', ['scripts/check.mjs'])
const tests = run('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...process.argv.slice(2),
])

const counts = readCounts()
const failed = counts.failed + (check === 0 ? 0 : 1)
process.stdout.write(
  `\n${counts.passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}\n`,
)
process.exitCode = check === 0 && tests === 0 && counts.passed > 0 ? 0 : 1

function run(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
}

function readCounts() {
  try {
    const report = JSON.parse(readFileSync(results, 'utf8'))
    const brokenFiles = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    )
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + brokenFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}
