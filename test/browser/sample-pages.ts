import { openConsole } from '../../src/console/console.ts'
import { openEcho } from '../../src/demo/echo.ts'
import { notePage, notesErrorPage, notesPage, notesSignedOutPage } from '../../src/demo/notes-pages.ts'
import { unreachable } from '../../src/demo/notes-parts.ts'
import type { Html } from '../../src/http/views/html.ts'
import { silentLog } from '../../src/kit/log.ts'
import { signInCards } from './sample-cards.ts'

const requestId = '0198e2b4-7c1d-7a53'

const person = { subject: 'ada', name: 'ada.lovelace@example.com', groups: ['kubeflow-user', 'team/ml'], since: 0 }
const session = { ...person, csrf: 'c' }
const note = {
  id: 'n1',
  text: 'Train the small model first.\nThen compare it with last week’s run.',
  at: Date.UTC(2026, 3, 7, 9, 30),
}
const long = {
  id: 'n2',
  text: `https://ml.example.com/${'very-long-path/'.repeat(8)}`,
  at: Date.UTC(2026, 3, 6, 17, 5),
}
const look = { basePath: '/notes', requestId }

/** The notes app's pages. */
const notesPages: Readonly<Record<string, Html>> = {
  notes: notesPage({ session, notes: [note, long] }, look),
  'notes-refused': notesPage({ session, notes: [], draft: { text: '', error: 'Write something first.' } }, look),
  note: notePage({ session, note }, look),
  'notes-signed-out': notesSignedOutPage({ isEverywhere: false }, look),
  'notes-unreachable': notesErrorPage({ action: { href: '/notes/', text: '' }, ...unreachable('/notes/') }, look),
}

const console_ = openConsole({
  publicUrl: 'http://localhost:8080',
  basePath: '/gatehouse',
  apps: [
    { name: 'Echo', description: 'Shows what the gateway tells an app about you.', href: '/echo/', kind: 'headers' },
    { name: 'Notes', description: 'A small notebook that signs you in by itself.', href: '/notes/', kind: 'oidc' },
    { name: 'MLflow', description: 'Experiments, runs and models of your team.', href: '/mlflow/', kind: 'oidc' },
    { name: 'Grafana', description: 'Dashboards of the cluster and of your jobs.', href: '/grafana/', kind: 'oidc' },
    {
      name: 'Central Dashboard',
      description: 'Notebooks, pipelines, volumes and experiments in one place.',
      href: '/_/',
      kind: 'headers',
    },
  ],
  signOutPath: '/oauth2/sign_out',
  log: silentLog,
})

const identity = {
  'kubeflow-userid': 'ada.lovelace@example.com',
  'kubeflow-groups': 'kubeflow-user,monitor-viewer,team/ml',
}

const received = {
  ...identity,
  accept: 'text/html',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  authorization: `Bearer ${'x'.repeat(900)}`,
  cookie: 'a=b',
  'x-request-id': requestId,
}

async function answerOf(
  part: { fetch(request: Request): Response | Promise<Response> },
  path: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return (await part.fetch(new Request(`http://localhost:8080${path}`, { headers }))).text()
}

/** One page of each kind as markup, by name. */
export async function samplePages(): Promise<Readonly<Record<string, string>>> {
  return {
    ...Object.fromEntries(
      await Promise.all(
        Object.entries({ ...signInCards, ...notesPages }).map(
          async ([name, markup]) => [name, String(await markup)] as const,
        ),
      ),
    ),
    portal: await answerOf(console_, '/', identity),
    'portal-without-apps': await answerOf(
      openConsole({
        publicUrl: 'http://localhost:8080',
        basePath: '/gatehouse',
        apps: [],
        signOutPath: '/oauth2/sign_out',
        log: silentLog,
      }),
      '/',
      { 'kubeflow-userid': 'ada@example.com' },
    ),
    'portal-signed-out': await answerOf(console_, '/'),
    'signed-out': await answerOf(console_, '/gatehouse/signed-out'),
    'not-found': await answerOf(console_, '/gatehouse/nowhere'),
    echo: await answerOf(openEcho({ basePath: '/echo' }), '/echo/some/deep?link=1', received),
  }
}
