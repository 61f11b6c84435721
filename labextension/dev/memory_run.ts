/** Runs made up for tests and for looking: the shapes are the contract's. */

import type { FailureFrame, LogLine, RunDocument, RunState } from '../src/core/contract';

export interface MemoryMetric {
  name: string;
  /** Value at a position. */
  at: (position: number) => number;
}

export interface MemoryRun {
  document: RunDocument;
  metrics: MemoryMetric[];
  /** Points that are there at first. */
  points: number;
  /** Points a second that come while it is followed; 0 for none. */
  rate: number;
  /** Lines of its log. */
  lines: number;
  line: (number: number) => Pick<LogLine, 'text' | 'styles'>;
}

const START = 1_790_000_000;

export function memoryDocument(id: string, state: RunState, changes: Partial<RunDocument> = {}): RunDocument {
  return {
    id,
    experiment: 'digits',
    number: 12,
    name: 'calm_otter',
    type: 'script',
    state,
    target: 'local',
    parent: null,
    created: START - 4,
    started: START,
    ended: state === 'Running' ? null : START + 183,
    elapsed_s: 183,
    archived: false,
    script: 'train.py',
    error: null,
    parameters: { lr: '0.01', batch_size: '64', optimizer: 'adamw', dropout: '0.1' },
    tags: { stage: 'baseline', keep: null },
    metrics: {},
    attempt: 1,
    reason: null,
    warnings: [],
    failure: null,
    progress: null,
    properties: { 'azureml.git.branch': 'main' },
    git: { branch: 'main', commit: '3f9ccea8d1b0', dirty: 'True', 'origin url': 'git@example.org:lab/digits.git' },
    environment: { name: 'torch-cpu', python: '3.11.9', packages: 'numpy 2.1.3\ntorch 2.5.1\npandas 2.2.3' },
    command: 'python train.py --lr 0.01 --batch-size 64',
    host: 'workstation',
    children: 0,
    log: { file: 'user_logs/std_log.txt', bytes: 0 },
    can: state === 'Running' ? ['cancel', 'rename', 'tag'] : ['resubmit', 'rename', 'tag', 'archive', 'delete'],
    ...changes
  };
}

/** A random number in [0, 1) that is the same for the same position. */
export function noise(position: number): number {
  const value = Math.sin(position * 12.9898 + 78.233) * 43758.5453;
  return value - Math.floor(value);
}

export function lossLike(scale: number, seed: number): (position: number) => number {
  return at =>
    scale * Math.exp(-at / 400) + 0.12 * scale * (noise(at + seed) - 0.5) * Math.exp(-at / 900) + 0.08 * scale;
}

export function accuracyLike(seed: number): (position: number) => number {
  return at => 0.98 - 0.85 * Math.exp(-at / 300) + 0.03 * (noise(at * 3 + seed) - 0.5);
}

export const TRAINING: MemoryMetric[] = [
  { name: 'loss', at: lossLike(2.3, 1) },
  { name: 'val_loss', at: lossLike(2.5, 7) },
  { name: 'accuracy', at: accuracyLike(3) },
  { name: 'lr', at: at => 0.01 * 0.5 * (1 + Math.cos((Math.PI * (at % 2000)) / 2000)) },
  { name: 'grad_norm', at: at => (at % 397 === 200 ? NaN : Math.exp(2 * noise(at) - at / 1500)) },
  { name: 'samples_per_s', at: at => 1790 + 40 * noise(at) }
];

export function epochLine(number: number): Pick<LogLine, 'text' | 'styles'> {
  const text = `epoch ${Math.floor(number / 50)} step ${number} loss ${lossLike(2.3, 1)(number).toFixed(4)} lr 0.01`;
  if (number % 37 === 36) {
    return { text: `WARNING ${text}`, styles: [[0, 7, { colour: 3, bold: true }]] };
  }
  return { text, styles: number % 5 === 0 ? [[0, text.indexOf(' step'), { colour: 6 }]] : [] };
}

export const FRAMES: FailureFrame[] = [
  {
    file: 'train.py',
    line: 41,
    function: 'train_step',
    code: 'loss = criterion(model(batch), targets)',
    locals: [
      { name: 'batch', type: 'torch.Tensor', value: 'shape (64, 1, 28, 28), float32, 0 to 1, mean 0.1307' },
      { name: 'targets', type: 'torch.Tensor', value: 'shape (63,), int64, 0 to 9' },
      { name: 'epoch', type: 'int', value: '3' }
    ]
  },
  {
    file: 'train.py',
    line: 77,
    function: 'main',
    code: 'train_step(model, batch, targets)',
    locals: [{ name: 'lr', type: 'float', value: '0.01' }]
  }
];

export function memoryRuns(): MemoryRun[] {
  const running = memoryDocument('digits_1700000000_live', 'Running', {
    progress: { done: 1240, total: 5000, text: 'epoch 3', left_s: 312 }
  });
  const failure = {
    code: 'UserError',
    message: 'ValueError: Expected input batch_size (64) to match target batch_size (63).',
    hint: 'compare the shapes below: targets has one row fewer than batch',
    details: 'Traceback (most recent call last):\n  File "train.py", line 77, in main\n  ...',
    frames: FRAMES
  };
  const failed = memoryDocument('digits_1700000001_failed', 'Failed', {
    error: failure.message,
    failure,
    warnings: ['numpy 1.26.0 was asked for; 2.1.3 was taken, for it cannot be met with torch 2.5.1']
  });
  const hostile = '<img src=x onerror=alert(1)>';
  return [
    { document: running, metrics: TRAINING, points: 1200, rate: 20, lines: 1_000_000, line: epochLine },
    { document: failed, metrics: TRAINING.slice(0, 2), points: 130, rate: 0, lines: 420, line: epochLine },
    {
      document: memoryDocument('digits_1700000002_done', 'Completed', { children: 3 }),
      metrics: TRAINING,
      points: 4000,
      rate: 0,
      lines: 5000,
      line: epochLine
    },
    {
      document: memoryDocument('digits_1700000003_queued', 'Queued', {
        started: null,
        ended: null,
        elapsed_s: null,
        reason: 'waits for 2 runs before it on gpu-box',
        target: 'gpu-box',
        can: ['cancel']
      }),
      metrics: [],
      points: 0,
      rate: 0,
      lines: 0,
      line: epochLine
    },
    {
      document: memoryDocument('digits_1700000004_hostile', 'Completed', {
        name: hostile,
        tags: { [hostile]: hostile },
        parameters: { [hostile]: hostile }
      }),
      metrics: [{ name: hostile, at: at => at }],
      points: 1,
      rate: 0,
      lines: 3,
      line: () => ({ text: hostile, styles: [[0, 4, { colour: [10, 10, 10], ground: 1 }]] })
    },
    {
      document: memoryDocument('digits_1700000005_many', 'Running'),
      metrics: Array.from({ length: 60 }, (_, at) => ({ name: `layer${at}/grad_norm`, at: lossLike(1 + at, at) })),
      points: 500,
      rate: 10,
      lines: 100,
      line: epochLine
    }
  ];
}
