import { html } from 'hono/html'
import { openConsole } from '../../src/console/console.ts'
import { openEcho } from '../../src/demo/echo.ts'
import { notePage, notesErrorPage, notesPage, notesSignedOutPage } from '../../src/demo/notes-pages.ts'
import { unreachable } from '../../src/demo/notes-parts.ts'
import { alert } from '../../src/http/views/alert.ts'
import { errorPage } from '../../src/http/views/error-page.ts'
import { field, hiddenFields } from '../../src/http/views/field.ts'
import { type Html, page } from '../../src/http/views/page.ts'
import { silentLog } from '../../src/kit/log.ts'

const assetsPath = '/gatehouse/static'
const requestId = '0198e2b4-7c1d-7a53'

const loginCard = (error: string | undefined) => html`<section class="card">
<h1>Sign in</h1>
<p class="muted">to continue to Kubeflow</p>
${error === undefined ? '' : alert(error)}
<form class="form" id="kc-form-login" method="post">
${field({ label: 'Username or email', name: 'username', autocomplete: 'username', isFocused: true, value: error ? 'ada' : '' })}
${field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'current-password' })}
<label class="check"><input type="checkbox" name="rememberMe"><span>Remember me</span></label>
${hiddenFields({ credentialId: '' })}
<button class="button" id="kc-login" name="login" type="submit">Sign in</button>
</form>
</section>`

const pickerCard = html`<section class="card">
<h1>Sign in</h1>
<p class="muted">Choose how you want to sign in to Kubeflow.</p>
<ul class="choices">
<li><a class="choice" href="#1">Continue with Keycloak</a></li>
<li><a class="choice" href="#2">Continue with email</a></li>
<li><a class="choice" href="#3">Continue with a connector whose name is so long that it takes two lines</a></li>
</ul>
</section>`

const approvalCard = html`<section class="card">
<h1>Grant access</h1>
<p class="muted"><strong>MLflow</strong> would like to:</p>
<ul class="scopes"><li>Have offline access</li><li>View basic profile information</li><li>View your email address</li></ul>
<form method="post" class="actions">
<button class="button" name="approval" value="approve" type="submit">Grant access</button>
<button class="button secondary" name="approval" value="rejected" type="submit">Cancel</button>
</form>
</section>`

const startCard = html`<section class="card">
<h1>Sign in</h1>
<p class="muted">You need to sign in to open this page.</p>
<form method="get" action="/oauth2/start">${hiddenFields({ rd: '/echo/' })}
<button class="button" type="submit">Sign in with OpenID Connect</button></form>
</section>`

/** Pages the realm, broker and proxy show, made from the same components, by name. */
const cards: Readonly<Record<string, Html>> = {
  login: page({ title: 'Sign in', assetsPath, body: loginCard(undefined), script: true, requestId }),
  'login-refused': page({
    title: 'Sign in',
    assetsPath,
    body: loginCard('Invalid username or password.'),
    script: true,
    requestId,
  }),
  picker: page({ title: 'Sign in', assetsPath, body: pickerCard }),
  approval: page({ title: 'Grant access', assetsPath, body: approvalCard }),
  'sign-in': page({ title: 'Sign in', assetsPath, body: startCard, brandName: 'ML Platform' }),
  error: errorPage({
    title: 'Invalid redirect address',
    message:
      'The app “grafana” asked to be sent back to https://grafana.example.com/login/generic_oauth, which is not registered for it.',
    advice: 'Tell the people who run the app. The nearest registered address differs in its scheme.',
    action: { href: '/', text: 'Go to your apps' },
    requestId,
    assetsPath,
  }),
}

const session = { subject: 'ada', name: 'ada.lovelace@example.com', groups: ['kubeflow-user', 'team/ml'], csrf: 'c' }
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
        Object.entries({ ...cards, ...notesPages }).map(
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
