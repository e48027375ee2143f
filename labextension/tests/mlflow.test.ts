import { expect, it } from 'vitest';
import { prefer } from '../src/mlflow/preferences';

function storage(kept: Record<string, string>) {
  return {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    }
  };
}

it("sets MLflow's pages to the theme, to model training and to no assistant", () => {
  const kept: Record<string, string> = {};
  prefer(storage(kept), true);
  expect(kept).toEqual({
    _mlflow_dark_mode_toggle_enabled: 'true',
    'mlflow.workflowType_v1': '"machine_learning"',
    'mlflow.assistant.fab.autoOpenedOnFirstLoad_v1': 'true'
  });
});

it('follows the theme, and leaves what the user has chosen', () => {
  const kept = {
    _mlflow_dark_mode_toggle_enabled: 'true',
    'mlflow.workflowType_v1': '"genai"'
  };
  prefer(storage(kept), false);
  expect(kept._mlflow_dark_mode_toggle_enabled).toBe('false');
  expect(kept['mlflow.workflowType_v1']).toBe('"genai"');
});

it('leaves the colours alone while there is no theme', () => {
  const kept = { _mlflow_dark_mode_toggle_enabled: 'true' };
  prefer(storage(kept), null);
  expect(kept._mlflow_dark_mode_toggle_enabled).toBe('true');
});

it('does without a browser that keeps anything', () => {
  const refuse = () => {
    throw new Error('denied');
  };
  expect(() =>
    prefer({ getItem: refuse, setItem: refuse }, true)
  ).not.toThrow();
});
