// k8s/: renders, twice the same; every document passes its schema; the sidecar has the shape it must have; the profiles load.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import * as apps from 'kubernetes-models/apps/v1';
import * as batch from 'kubernetes-models/batch/v1';
import * as core from 'kubernetes-models/v1';
import { command, here, scratch } from './lib.mjs';

const k8s = resolve(here, '../../k8s');
const kinds = { ...core, ...apps, ...batch };

// kubectl of 1.27 or later brings a kustomize that knows Components.
function kubectlMissing() {
  try {
    const v = JSON.parse(execFileSync('kubectl', ['version', '--client', '-o', 'json'], { stdio: ['ignore', 'pipe', 'ignore'] }));
    const minor = parseInt(v.clientVersion.minor, 10);
    return minor < 27 ? `SKIPPED: kubectl is 1.${minor}, 1.27 is needed` : false;
  } catch { return 'SKIPPED: there is no kubectl'; }
}
const skip = kubectlMissing();
if (skip) console.log(`# k8s rendering: ${skip}`);

const render = (dir) => execFileSync('kubectl', ['kustomize', dir], { encoding: 'utf8' });
const documents = (text) => parseAllDocuments(text).map((d) => d.toJS());
const podSpec = (o) => ({ Pod: o.spec, CronJob: o.spec?.jobTemplate?.spec.template.spec }[o.kind] ?? o.spec.template.spec);

function checkShape(spec) {
  const [sidecar] = spec.initContainers;
  assert.equal(sidecar.name, 'narrowgate', 'first in the list');
  assert.equal(sidecar.restartPolicy, 'Always');
  assert.equal(sidecar.startupProbe.httpGet.path, '/readyz');
  assert.equal(sidecar.livenessProbe.httpGet.path, '/healthz');
  assert.equal(sidecar.terminationMessagePolicy, 'FallbackToLogsOnError');
  assert.equal(sidecar.resources.limits.cpu, undefined);
  assert.ok(sidecar.volumeMounts.every((m) => m.readOnly && !m.subPath));
  const s = sidecar.securityContext;
  assert.deepEqual([s.runAsNonRoot, s.runAsUser, s.readOnlyRootFilesystem, s.allowPrivilegeEscalation, s.capabilities.drop, s.seccompProfile.type],
    [true, 18808, true, false, ['ALL'], 'RuntimeDefault']);
  assert.equal(spec.automountServiceAccountToken, false);
  assert.ok(!spec.shareProcessNamespace && !spec.hostNetwork);
  for (const c of spec.containers)
    assert.ok(!(c.volumeMounts ?? []).some((m) => m.name.startsWith('narrowgate-')), 'the token is in one container only');
}

for (const example of ['deployment', 'job'])
  test(`K1, K4: examples/${example}`, { skip }, () => {
    const dir = join(k8s, 'examples', example);
    const text = render(dir);
    assert.equal(render(dir), text, 'the same on a second run');
    let shaped = 0;
    for (const o of documents(text)) {
      new kinds[o.kind](o).validate();
      if (o.kind === 'ConfigMap' || o.kind === 'ServiceAccount') continue;
      checkShape(podSpec(o));
      const broken = structuredClone(podSpec(o));
      delete broken.initContainers[0].startupProbe;
      assert.throws(() => checkShape(broken), 'a missing startupProbe is caught');
      shaped++;
    }
    assert.equal(shaped, 1);
    const job = documents(text).find((o) => o.kind === 'Job');
    if (job) assert.ok(job.spec.activeDeadlineSeconds > 0);
  });

test('the component fits every kind of workload', { skip }, (t) => {
  const dir = scratch(t);
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'agent', image: 'a' }], initContainers: [{ name: 'other', image: 'o' }] } };
  const meta = (name) => ({ name, labels: { 'narrowgate.dev/inject': 'enabled' } });
  const all = [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: meta('s'), spec: { serviceName: 's', selector: { matchLabels: { a: 'b' } }, template } },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: meta('d'), spec: { selector: { matchLabels: { a: 'b' } }, template } },
    { apiVersion: 'batch/v1', kind: 'CronJob', metadata: meta('c'), spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } } } },
    { apiVersion: 'v1', kind: 'Pod', metadata: meta('p'), spec: template.spec },
  ];
  execFileSync('cp', ['-r', k8s, join(dir, 'k8s')]);
  mkdirSync(join(dir, 'mine'));
  writeFileSync(join(dir, 'mine/all.yaml'), all.map((o) => JSON.stringify(o)).join('\n---\n'));
  writeFileSync(join(dir, 'mine/kustomization.yaml'), 'resources: [all.yaml]\ncomponents: [../k8s/component]\n');
  const out = documents(render(join(dir, 'mine')));
  assert.equal(out.length, 4);
  for (const o of out) {
    new kinds[o.kind](o).validate();
    checkShape(podSpec(o));
    assert.equal(podSpec(o).initContainers[1].name, 'other');
  }
});

for (const profile of ['observer', 'reader', 'rotator', 'auditor'])
  test(`profiles/${profile}.yaml is a configuration that narrowgate accepts`, async (t) => {
    const file = join(k8s, 'profiles', `${profile}.yaml`);
    assert.equal(parse(readFileSync(file, 'utf8')).version, 1);
    const p = await command(t, ['check', file]);
    assert.equal(p.code, 0, p.err + p.out);
    assert.match(p.out, /self-test: passed/);
  });
