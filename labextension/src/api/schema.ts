// Generated from labextension/openapi.json by `npm run types`. Do not edit.

export interface paths {
  '/status': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Which workspace is open here, and how it stands
     * @description Say which workspace is open here, and how it stands.
     */
    get: operations['status_status'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/openapi.json': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * This document
     * @description Give the OpenAPI document.
     */
    get: operations['status_openapi'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/workspaces': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the workspaces
     * @description List the workspaces of this user.
     */
    get: operations['workspaces_list_workspaces'];
    put?: never;
    /**
     * Create a workspace
     * @description Make a workspace beside the others. It is not opened.
     */
    post: operations['workspaces_create'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/workspaces/{name}/activate': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Open another workspace in this server
     * @description Open another workspace here; the jobs of the one that was open run on.
     */
    post: operations['workspaces_activate'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/computes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the computes
     * @description List the computes with what they hold, what is in use, and what was last known of them.
     */
    get: operations['computes_list_computes'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/computes/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a compute
     * @description Give one compute.
     */
    get: operations['computes_get'];
    /**
     * Create or change a compute
     * @description Make a compute, or change the one of that name. The same again changes nothing.
     *
     *     Its server is looked at first, unless `check` is false. Slots, price and token can be changed at any time;
     *     type, URL and kernel only while no job runs there (409). The token is never shown.
     */
    put: operations['computes_create'];
    post?: never;
    /**
     * Delete a compute
     * @description Delete a compute with its token. Refused (409) while jobs run there or wait for it.
     */
    delete: operations['computes_delete'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/computes/{name}/check': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Look whether a compute can be used
     * @description Look whether a job could run there now; what is wrong is in the answer, and kept for the list.
     */
    post: operations['computes_check'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/blobs/{sha256}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Send a blob of any size; its bytes must have the hash that the path says
     * @description Keep the streamed body, or the file that was laid ready, if it has the hash that the path says.
     */
    put: operations['blobs_put'];
    post?: never;
    delete?: never;
    options?: never;
    /**
     * Is this blob here already?
     * @description Say whether a blob is here, so that it need not be sent again.
     */
    head: operations['blobs_head'];
    patch?: never;
    trace?: never;
  };
  '/jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List jobs
     * @description List jobs by page.
     */
    get: operations['jobs_page'];
    put?: never;
    /**
     * Submit a job
     * @description Accept a job. When this answers, the job is on disk.
     */
    post: operations['jobs_submit'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/compare': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Compare the metrics and parameters of jobs
     * @description Put jobs side by side.
     */
    get: operations['jobs_compare'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a job
     * @description Give one job, at once or when it has ended.
     */
    get: operations['jobs_get'];
    put?: never;
    post?: never;
    /**
     * Delete a job
     * @description Delete a job with its folder.
     */
    delete: operations['jobs_delete'];
    options?: never;
    head?: never;
    /**
     * Change the name or the priority of a job
     * @description Change the name or the priority.
     */
    patch: operations['jobs_patch'];
    trace?: never;
  };
  '/jobs/{id}/cancel': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Cancel a job
     * @description Ask for the end of a job. It may run a few seconds longer.
     */
    post: operations['jobs_cancel'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/rerun': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Run a job again
     * @description Run a job again, as it was but for what the body says.
     */
    post: operations['jobs_rerun'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/attempts': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the attempts of a job
     * @description List the attempts of a job.
     */
    get: operations['jobs_attempts'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * A piece of a job's event log
     * @description Give a piece of an attempt's event log, at once or when there is something new.
     */
    get: operations['jobs_events'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/results': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List what can be brought back
     * @description List what the job kept, and what it could not keep.
     */
    get: operations['job_files_results'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/results/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a result
     * @description Give one result as it was packed.
     */
    get: operations['job_files_result'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/inputs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the captured variables
     * @description Give the pack of captured variables.
     */
    get: operations['job_files_inputs'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/attempts/{number}/outputs/{file}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get a large output value
     * @description Give a large output value, for a browser to show without trusting it.
     */
    get: operations['job_files_output'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/notebook': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the executed notebook
     * @description Give the executed notebook as it stands, also while the job runs.
     */
    get: operations['job_files_notebook'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/experiments': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the experiments
     * @description List the names that jobs are grouped under.
     */
    get: operations['experiments_list_experiments'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/audit': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the changes
     * @description Give a page of the audit log, newest first.
     */
    get: operations['audit_page'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/notebooks/ask': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Get the notebook of a kernel, unsaved changes included
     * @description Give the notebook of a kernel as it stands on the screen, or else as it was saved.
     */
    post: operations['notebooks_ask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/notebooks/answers/{request_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Answer a notebook-request event
     * @description Take a browser's answer to a `notebook-request` event.
     */
    put: operations['notebooks_answer'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/mlflow': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How MLflow's server stands
     * @description Say how MLflow's server stands. It is started by the first job, or by a look at its pages.
     */
    get: operations['tracking_state'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description One try at a job, with a folder of its own. */
    Attempt: {
      number: number;
      status: components['schemas']['JobStatus'];
      /** @description Relative to the workspace. */
      folder: string;
      /** @default null */
      pid: number | null;
      /**
       * @description Start time of the worker (see `processes.identity`): pid and this name a process.
       * @default null
       */
      process_started: number | null;
      /** @default null */
      kernel_pid: number | null;
      /** @default null */
      kernel_process_started: number | null;
      /**
       * @description Numbers of the devices it was given.
       * @default []
       */
      gpus: number[];
      /** Format: date-time */
      created_at: string;
      /** @default null */
      started_at: string | null;
      /** @default null */
      ended_at: string | null;
      /** @default null */
      error: components['schemas']['ErrorInfo'] | null;
    };
    /** @description The worker's process is up. */
    AttemptBegan: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'attempt';
      job: string;
      attempt: number;
      pid: number;
      process_started: number;
      host: string;
    };
    /** @description The attempts of a job, oldest first. */
    AttemptList: {
      attempts: components['schemas']['Attempt'][];
    };
    /** @description One change: who, when, what, before and after. */
    AuditEntry: {
      sequence: number;
      /** Format: date-time */
      at: string;
      who: string;
      action: string;
      noun: string;
      id: string;
      /**
       * @description JSON.
       * @default null
       */
      before: string | null;
      /**
       * @description JSON.
       * @default null
       */
      after: string | null;
    };
    /** @description A page of the audit log, newest first. */
    AuditPage: {
      entries: components['schemas']['AuditEntry'][];
      /** @default null */
      next: string | null;
    };
    /** @description Bytes that are on disk now. */
    BlobStored: {
      sha256: string;
      /** @description Bytes. */
      size: number;
    };
    /** @description What a compute holds, or what of it is in use. */
    Capacity: {
      cpus: number;
      /** @description Bytes. */
      memory: number;
      /** @default 0 */
      gpus: number;
      /**
       * @description Jobs at once, of a compute that counts jobs and nothing else. None: it counts what stands above.
       * @default null
       */
      slots: number | null;
    };
    /** @description A code cell began or ended: number `index` of all cells from 0, `position` of the code cells from 1. */
    CellChanged: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'cell';
      index: number;
      position: number;
      total: number;
      /** @enum {string} */
      state: 'running' | 'ok' | 'error' | 'skipped';
      /** @default null */
      execution_count: number | null;
      /** @default null */
      seconds: number | null;
    };
    /** @description What the server emits on Jupyter's event stream: something changed, fetch it. */
    Change: {
      workspace: string;
      noun: string;
      id: string;
      /** @default null */
      status: string | null;
      /** @default null */
      offset: number | null;
      sequence: number;
    };
    /** @description What a comparison shows of one job. */
    ComparedJob: {
      id: string;
      name: string;
      experiment: string;
      status: components['schemas']['JobStatus'];
      /** Format: date-time */
      created_at: string;
      /** @description Latest values; None stands for NaN. */
      metrics: {
        [key: string]: number | null;
      };
      /** @description Parameters of the MLflow run: those of the job, and those that its code logged. */
      params: {
        [key: string]: string;
      };
    };
    /** @description A compute as it stands. */
    Compute: {
      name: string;
      type: string;
      /** @default ready */
      state: components['schemas']['ComputeState'];
      /**
       * @description Address of the server, without its token.
       * @default null
       */
      url: string | null;
      /** @default false */
      has_token: boolean;
      /**
       * @description The kernelspec that a job runs with when it names none.
       * @default null
       */
      kernel: string | null;
      capacity: components['schemas']['Capacity'];
      in_use: components['schemas']['Capacity'];
      /** @description US dollars for an hour of one job. */
      price_per_hour: number;
      guarantees: components['schemas']['Guarantees'];
      /** @default 0 */
      jobs_running: number;
      /** @default 0 */
      jobs_queued: number;
      /**
       * @description What the last look found.
       * @default null
       */
      check: components['schemas']['ComputeCheck'] | null;
      /** @default null */
      checked_at: string | null;
      /** @default null */
      created_by: string | null;
      /** @default null */
      created_at: string | null;
    };
    /** @description What a look at a compute found. */
    ComputeCheck: {
      /** @description Whether a job could run there now, as far as can be told without one. */
      reachable: boolean;
      /**
       * @description What answered, such as `Jupyter Server 2.21`.
       * @default null
       */
      server: string | null;
      /**
       * @description Names of the kernelspecs there.
       * @default []
       */
      kernels: string[];
      /**
       * @description Version of Python that jobs run with, where it is told.
       * @default null
       */
      python: string | null;
      /**
       * @description Seconds that an answer took.
       * @default null
       */
      latency: number | null;
      /**
       * @description What is wrong and what to do, in a sentence.
       * @default null
       */
      message: string | null;
    };
    /** @description Ask for a compute; its name is in the path. The same again changes nothing. */
    ComputeCreate: {
      type: string;
      /** @description Address of the server. A token in it (`?token=`) is taken out and kept as the token. */
      url: string;
      /**
       * Format: password
       * @description What opens the server; never shown. None: as it is, while the URL stays the same. Empty: none.
       * @default null
       */
      token: string | null;
      /**
       * @description Jobs at once.
       * @default 1
       */
      slots: number;
      /**
       * @description US dollars for an hour of one job.
       * @default 0
       */
      price_per_hour: number;
      /**
       * @description The kernelspec there that a job runs with when it names none.
       * @default null
       */
      kernel: string | null;
      /**
       * @description Whether to refuse it when the server cannot be used now.
       * @default true
       */
      check: boolean;
    };
    /** @description The computes of the workspace, by name. */
    ComputeList: {
      computes: components['schemas']['Compute'][];
    };
    /**
     * ComputeState
     * @description What was last known of a compute; a list does not look anew.
     * @enum {string}
     */
    ComputeState: 'ready' | 'unreachable' | 'unchecked';
    /** @description The installed distributions of the kernel's interpreter, as requirement lines, sorted by name. */
    EnvironmentSeen: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'environment';
      python: string;
      sha256: string;
      packages: string[];
    };
    /** @description The body of every REST answer that is not a success. */
    ErrorAnswer: {
      error: components['schemas']['ErrorInfo'];
    };
    /** @description An error as it is stored and sent: machine-readable code, sentence, and what to do. */
    ErrorInfo: {
      code: string;
      message: string;
      /** @default null */
      hint: string | null;
    };
    /**
     * @description A piece of an event log. `size` is the log's length in bytes now, `done` that nothing will follow.
     *
     *     `done` speaks of the attempt: the job goes on where `newest` is greater, or `status` is not terminal.
     */
    EventPage: {
      attempt: number;
      /** @description Number of the job's newest attempt; 0 before the first. */
      newest: number;
      /** @description The job's, as it was before the log was read: one that is terminal means that the log is whole. */
      status: components['schemas']['JobStatus'];
      offset: number;
      next: number;
      size: number;
      done: boolean;
      events: (
        | components['schemas']['AttemptBegan']
        | components['schemas']['StatusChanged']
        | components['schemas']['KernelStarted']
        | components['schemas']['CellChanged']
        | components['schemas']['Output']
        | components['schemas']['Sample']
        | components['schemas']['Message']
        | components['schemas']['Results']
        | components['schemas']['EnvironmentSeen']
      )[];
    };
    /** @description A name that jobs are grouped under. */
    Experiment: {
      name: string;
      /** @description Number of its jobs. */
      jobs: number;
      /**
       * Format: date-time
       * @description When the newest of them was accepted.
       */
      last: string;
    };
    /** @description The experiments of the workspace, the one used last first. */
    ExperimentList: {
      experiments: components['schemas']['Experiment'][];
    };
    /** @description What a compute promises; its contract suite holds it to that. */
    Guarantees: {
      /** @description Whether a job is ended when it takes more memory than it asked for. */
      memory_limit: boolean;
      /** @description Whether all processes of a job end with it, whatever they do against it. */
      kill: boolean;
      /** @description Whether a job goes on while no server of the workspace runs. */
      survives_server: boolean;
      /** @description Whether a job can run in the notebook's own folder. */
      live_folder: boolean;
      /**
       * @description Bytes of output a second above which some is lost. None: none is.
       * @default null
       */
      output_rate: number | null;
    };
    /** @description One captured variable: its name, type, size in bytes as packed, and hash. */
    InputItem: {
      name: string;
      type: string;
      size: number;
      sha256: string;
    };
    /** @description The captured variables of a cell: one blob holds them all, so that shared objects stay shared. */
    Inputs: {
      blob: string;
      size: number;
      /** @default [] */
      items: components['schemas']['InputItem'][];
    };
    /** @description The captured variables of a cell: one blob holds them all, so that shared objects stay shared. */
    InputsInput: {
      blob: string;
      size: number;
      /** @default [] */
      items: components['schemas']['InputItem'][];
    };
    /** @description A job as it stands. */
    Job: {
      id: string;
      spec: components['schemas']['JobSpec'];
      status: components['schemas']['JobStatus'];
      /** @default run */
      wanted: components['schemas']['Wanted'];
      /**
       * @description Number of the newest attempt; 0 before the first.
       * @default 0
       */
      attempt: number;
      created_by: string;
      /** Format: date-time */
      created_at: string;
      /**
       * @description When the user's code began, in the newest attempt.
       * @default null
       */
      started_at: string | null;
      /** @default null */
      ended_at: string | null;
      /**
       * @description Seconds that the user's code ran up to the last change, over all attempts; what is paid for.
       * @default 0
       */
      seconds: number;
      /**
       * @description US dollars, fixed when the job was accepted.
       * @default 0
       */
      price_per_hour: number;
      /**
       * @description US dollars: seconds / 3600 * price_per_hour.
       * @default 0
       */
      cost: number;
      /**
       * @description What it waits for or does just now, in words.
       * @default null
       */
      message: string | null;
      /** @default 0 */
      cells_done: number;
      /** @default 0 */
      cells_total: number;
      /**
       * @description Bytes of the newest attempt's event log that the record takes account of.
       * @default 0
       */
      offset: number;
      /**
       * @description MLflow run.
       * @default null
       */
      run_id: string | null;
      /**
       * @description Latest value of each metric in the MLflow run; None stands for NaN.
       * @default {}
       */
      metrics: {
        [key: string]: number | null;
      };
      /** @default [] */
      results: components['schemas']['ResultItem'][];
      /**
       * @description Largest memory use seen, in bytes.
       * @default null
       */
      memory_peak: number | null;
      /** @default false */
      has_snapshot: boolean;
      /**
       * @description The blob with the lock of the packages that it ran with; None until it was seen.
       * @default null
       */
      environment: string | null;
      /** @default null */
      error: components['schemas']['ErrorInfo'] | null;
    };
    /** @description Jobs side by side, in the order in which they were asked for. */
    JobComparison: {
      jobs: components['schemas']['ComparedJob'][];
      /** @description Names of all metrics, sorted. */
      metrics: string[];
      /** @description Names of all parameters, sorted. */
      params: string[];
    };
    /**
     * JobKind
     * @description What a job runs.
     * @enum {string}
     */
    JobKind: 'cell' | 'notebook' | 'script' | 'function';
    /** @description A page of jobs, newest first; `next` is the cursor of the following page, None at the end. */
    JobPage: {
      jobs: components['schemas']['Job'][];
      /** @default null */
      next: string | null;
      /** @description Number of jobs that match the filter, over all pages. */
      total: number;
    };
    /** @description What may be changed of a job that waits. */
    JobPatch: {
      /** @default null */
      name: string | null;
      /** @default null */
      priority: components['schemas']['Priority'] | null;
    };
    /** @description What a user asks for. Kept as it was accepted, so that a job can be run again exactly. */
    JobSpec: {
      kind: components['schemas']['JobKind'];
      name: string;
      /** @default Default */
      experiment: string;
      /** @default local */
      compute: string;
      /**
       * @default {
       *       "name": null,
       *       "executable": null
       *     }
       */
      kernel: components['schemas']['KernelChoice'];
      /**
       * @description The source of a cell.
       * @default null
       */
      code: string | null;
      /**
       * @description The blob with the notebook's JSON (UTF-8) as it was on the screen.
       * @default null
       */
      notebook: string | null;
      /**
       * @description File name of the notebook or script, relative to `folder`.
       * @default null
       */
      path: string | null;
      /**
       * @description The live folder, absolute: where the notebook or the script lies.
       * @default null
       */
      folder: string | null;
      /**
       * @description Whether to run in a copy of the folder as it was at submission; None: notebooks and scripts do.
       * @default null
       */
      snapshot: boolean | null;
      /**
       * @description Values as `model.parameters.to_json` writes them.
       * @default {}
       */
      parameters: {
        [key: string]: components['schemas']['JsonValue'];
      };
      /** @default null */
      inputs: components['schemas']['Inputs'] | null;
      /**
       * @description Names to bring back. None or empty: nothing is kept.
       * @default null
       */
      outputs: string[] | null;
      /**
       * @default {
       *       "cpus": 1,
       *       "memory": null,
       *       "gpus": 0
       *     }
       */
      resources: components['schemas']['Resources'];
      /**
       * @description Seconds of running, after which the job is ended as failed. None: no limit.
       * @default null
       */
      timeout: number | null;
      /** @default 0 */
      retries: number;
      /** @default medium */
      priority: components['schemas']['Priority'];
      /**
       * @default {
       *       "notebook": null,
       *       "cell_id": null,
       *       "kernel_id": null,
       *       "client": null
       *     }
       */
      origin: components['schemas']['Origin'];
      /**
       * @description The blob with the lock of the packages to run with (`environments.lock`); None: those of `kernel`.
       * @default null
       */
      environment: string | null;
      /**
       * @description The job that this one repeats.
       * @default null
       */
      rerun_of: string | null;
    };
    /** @description What a user asks for. Kept as it was accepted, so that a job can be run again exactly. */
    JobSpecInput: {
      kind: components['schemas']['JobKind'];
      name: string;
      /** @default Default */
      experiment: string;
      /** @default local */
      compute: string;
      /**
       * @default {
       *       "name": null,
       *       "executable": null
       *     }
       */
      kernel: components['schemas']['KernelChoiceInput'];
      /**
       * @description The source of a cell.
       * @default null
       */
      code: string | null;
      /**
       * @description The blob with the notebook's JSON (UTF-8) as it was on the screen.
       * @default null
       */
      notebook: string | null;
      /**
       * @description File name of the notebook or script, relative to `folder`.
       * @default null
       */
      path: string | null;
      /**
       * @description The live folder, absolute: where the notebook or the script lies.
       * @default null
       */
      folder: string | null;
      /**
       * @description Whether to run in a copy of the folder as it was at submission; None: notebooks and scripts do.
       * @default null
       */
      snapshot: boolean | null;
      /**
       * @description Values as `model.parameters.to_json` writes them.
       * @default {}
       */
      parameters: {
        [key: string]: components['schemas']['JsonValue'];
      };
      /** @default null */
      inputs: components['schemas']['InputsInput'] | null;
      /**
       * @description Names to bring back. None or empty: nothing is kept.
       * @default null
       */
      outputs: string[] | null;
      /**
       * @default {
       *       "cpus": 1,
       *       "memory": null,
       *       "gpus": 0
       *     }
       */
      resources: components['schemas']['ResourcesInput'];
      /**
       * @description Seconds of running, after which the job is ended as failed. None: no limit.
       * @default null
       */
      timeout: number | null;
      /** @default 0 */
      retries: number;
      /** @default medium */
      priority: components['schemas']['Priority'];
      /**
       * @default {
       *       "notebook": null,
       *       "cell_id": null,
       *       "kernel_id": null,
       *       "client": null
       *     }
       */
      origin: components['schemas']['OriginInput'];
      /**
       * @description The blob with the lock of the packages to run with (`environments.lock`); None: those of `kernel`.
       * @default null
       */
      environment: string | null;
      /**
       * @description The job that this one repeats.
       * @default null
       */
      rerun_of: string | null;
    };
    /**
     * JobStatus
     * @description Where a job stands. The names are those of Azure Machine Learning.
     * @enum {string}
     */
    JobStatus:
      | 'Queued'
      | 'Preparing'
      | 'Running'
      | 'Finalizing'
      | 'Completed'
      | 'Failed'
      | 'Canceled';
    JsonValue: unknown;
    /** @description Which kernel runs the job: the Python at `executable`, or the kernelspec called `name`. */
    KernelChoice: {
      /** @default null */
      name: string | null;
      /** @default null */
      executable: string | null;
    };
    /** @description Which kernel runs the job: the Python at `executable`, or the kernelspec called `name`. */
    KernelChoiceInput: {
      /** @default null */
      name: string | null;
      /** @default null */
      executable: string | null;
    };
    /** @description The kernel's process is up and answers. */
    KernelStarted: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'kernel';
      /** @default null */
      pid: number | null;
      /** @default null */
      process_started: number | null;
      /** @default python */
      language: string;
      /** @default  */
      version: string;
      /** @default null */
      executable: string | null;
    };
    /** @description A sentence for the user about the run itself, not from the user's code. */
    Message: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'message';
      /**
       * @default info
       * @enum {string}
       */
      level: 'info' | 'warning' | 'error';
      text: string;
    };
    /** @description What a browser sends for a `notebook-request` event. */
    NotebookAnswer: {
      /** @description As Jupyter has it: relative to the server's root folder, with `/`. */
      path: string;
      /** @description Whether it holds changes that are not saved. */
      dirty: boolean;
      /** @description The notebook as nbformat has it. */
      content: {
        [key: string]: components['schemas']['JsonValue'];
      };
    };
    /** @description Ask for the notebook that a kernel belongs to, as it stands on the screen. */
    NotebookAsk: {
      kernel_id: string;
    };
    /** @description The notebook, and where it was seen. */
    NotebookFound: {
      /** @description As Jupyter has it: relative to the server's root folder, with `/`. */
      path: string;
      /**
       * @description Absolute path of the folder it lies in; None when it is not on this machine's disk.
       * @default null
       */
      folder: string | null;
      dirty: boolean;
      content: {
        [key: string]: components['schemas']['JsonValue'];
      };
      /**
       * @description `disk`: no browser shows it, so this is what was saved last.
       * @enum {string}
       */
      source: 'screen' | 'disk';
    };
    /** @description The event that asks every browser for a notebook. */
    NotebookRequest: {
      request_id: string;
      kernel_id: string;
    };
    /** @description Where a job was submitted from; for the reader, nothing depends on it. */
    Origin: {
      /** @default null */
      notebook: string | null;
      /** @default null */
      cell_id: string | null;
      /** @default null */
      kernel_id: string | null;
      /** @default null */
      client: string | null;
    };
    /** @description Where a job was submitted from; for the reader, nothing depends on it. */
    OriginInput: {
      /** @default null */
      notebook: string | null;
      /** @default null */
      cell_id: string | null;
      /** @default null */
      kernel_id: string | null;
      /** @default null */
      client: string | null;
    };
    /**
     * @description One output, as nbformat 4 has it (`output_type` and its fields), or a change of earlier ones.
     *
     *     Besides `stream`, `display_data`, `execute_result` and `error` there are `update_display_data` and
     *     `clear_output` (with `wait`), as in the kernel's protocol.
     */
    Output: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'output';
      cell: number;
      output: {
        [key: string]: components['schemas']['JsonValue'];
      };
      /** @default null */
      display_id: string | null;
    };
    /**
     * Priority
     * @description Order in the queue, as in Azure Machine Learning.
     * @enum {string}
     */
    Priority: 'low' | 'medium' | 'high';
    /** @description Run a job again exactly as it was, but for what is given here. */
    Rerun: {
      /** @default null */
      name: string | null;
      /**
       * @description Merged over those of the original.
       * @default null
       */
      parameters: {
        [key: string]: components['schemas']['JsonValue'];
      } | null;
      /** @default null */
      compute: string | null;
      /** @default null */
      resources: components['schemas']['ResourcesInput'] | null;
      /** @default null */
      timeout: number | null;
      /** @default null */
      retries: number | null;
      /** @default null */
      priority: components['schemas']['Priority'] | null;
    };
    /** @description What one job takes of its compute. */
    Resources: {
      /** @default 1 */
      cpus: number;
      /**
       * @description Bytes; over it the job is ended. None: no limit.
       * @default null
       */
      memory: number | null;
      /** @default 0 */
      gpus: number;
    };
    /** @description What one job takes of its compute. */
    ResourcesInput: {
      /** @default 1 */
      cpus: number;
      /**
       * @description Bytes; over it the job is ended. None: no limit.
       * @default null
       */
      memory: number | null;
      /** @default 0 */
      gpus: number;
    };
    /** @description One name that the job assigned: either it can be fetched, or `error` says why not. */
    ResultItem: {
      name: string;
      type: string;
      /**
       * @description Bytes as packed; None when it could not be kept.
       * @default null
       */
      size: number | null;
      /** @default null */
      sha256: string | null;
      /**
       * @description A short text for people, such as `DataFrame 7,043 × 21`.
       * @default null
       */
      preview: string | null;
      /** @default null */
      error: string | null;
    };
    /** @description What a job kept, in the order in which its code assigned the names. */
    ResultList: {
      results: components['schemas']['ResultItem'][];
    };
    /** @description What can be brought back, and what cannot. */
    Results: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'results';
      items: components['schemas']['ResultItem'][];
    };
    /** @description What the kernel and its children use: resident bytes, and CPU seconds since it started. */
    Sample: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'sample';
      memory: number;
      cpu_seconds: number;
    };
    /** @description What is behind the address that answered. */
    ServerStatus: {
      version: string;
      workspace: components['schemas']['Workspace'];
      leader: boolean;
      /** @default false */
      headless: boolean;
      user: string;
      tracking: components['schemas']['TrackingState'];
      /** @description Number of jobs by status. */
      jobs: {
        [key: string]: number;
      };
    };
    /** @description The attempt's status. A terminal one is the last event of the log. */
    StatusChanged: {
      /** @description Seconds since 1970, by the worker's clock. */
      t: number;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'status';
      status: components['schemas']['JobStatus'];
      /** @default null */
      error: components['schemas']['ErrorInfo'] | null;
    };
    /** @description How MLflow's server stands: `starting`, `ready`, `stopped` or `failed`. */
    TrackingState: {
      status: string;
      /**
       * @description Address for MLflow clients on this machine.
       * @default null
       */
      url: string | null;
      /**
       * @description Path of MLflow's pages behind this server, relative to its base URL.
       * @default null
       */
      ui: string | null;
      /** @default null */
      error: string | null;
    };
    /**
     * Wanted
     * @description What the user wants of a job; kept beside the status, which says what is.
     * @enum {string}
     */
    Wanted: 'run' | 'cancel' | 'delete';
    /** @description A workspace as a user sees it. */
    Workspace: {
      name: string;
      id: string;
      path: string;
      /** Format: date-time */
      created_at: string;
      /** @default false */
      current: boolean;
    };
    /** @description Ask for a new workspace beside the others. */
    WorkspaceCreate: {
      name: string;
    };
    /** @description The workspaces that this server can open, by name. */
    WorkspaceList: {
      workspaces: components['schemas']['Workspace'][];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  status_status: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ServerStatus'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  status_openapi: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': unknown;
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  workspaces_list_workspaces: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['WorkspaceList'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  workspaces_create: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['WorkspaceCreate'];
      };
    };
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Workspace'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  workspaces_activate: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Workspace'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  computes_list_computes: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ComputeList'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  computes_get: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Compute'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  computes_create: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ComputeCreate'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Compute'];
        };
      };
      /** @description Made */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Compute'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  computes_delete: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  computes_check: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ComputeCheck'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  blobs_put: {
    parameters: {
      query?: {
        /**
         * @description Name of a file that a client on this machine laid into the workspace's `blobs/incoming`, 0600.
         *
         *     None: they are the body. Such a file is renamed, and not sent.
         */
        incoming?: string | null;
      };
      header?: never;
      path: {
        sha256: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/octet-stream': unknown;
      };
    };
    responses: {
      /** @description It was here already */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['BlobStored'];
        };
      };
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['BlobStored'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  blobs_head: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sha256: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_page: {
    parameters: {
      query?: {
        /** @description Any of these. */
        status?: (
          | 'Queued'
          | 'Preparing'
          | 'Running'
          | 'Finalizing'
          | 'Completed'
          | 'Failed'
          | 'Canceled'
        )[];
        name?: string | null;
        experiment?: string | null;
        compute?: string | null;
        kind?: ('cell' | 'notebook' | 'script' | 'function') | null;
        created_by?: string | null;
        /** @description Part of the name; upper and lower case are the same. */
        q?: string | null;
        /** @description Only jobs that have this metric; with `sort=metric`, in the order of its latest value. */
        metric?: string | null;
        /**
         * @description What jobs can be ordered by. A job that has not ended counts as ended after all others.
         *
         *     By a metric, those that have it as a number.
         */
        sort?: 'created' | 'ended' | 'name' | 'seconds' | 'metric';
        descending?: boolean;
        /** @description `JobPage.next` of the page before, under the same sort and direction. */
        cursor?: string | null;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobPage'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_submit: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['JobSpecInput'];
      };
    };
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Job'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_compare: {
    parameters: {
      query?: {
        /** @description Ids, in the order of the answer. */
        id?: string[];
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobComparison'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_get: {
    parameters: {
      query?: {
        /** @description Seconds that the answer is held for at most, until the job has ended. */
        wait?: number;
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Job'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_delete: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_patch: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['JobPatch'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Job'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_cancel: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Job'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_rerun: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['Rerun'];
      };
    };
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Job'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_attempts: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AttemptList'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  jobs_events: {
    parameters: {
      query?: {
        /** @description None: the newest. */
        attempt?: number | null;
        /** @description Byte to begin at: `next` of the page before. */
        offset?: number;
        /** @description Begin instead at the first whole event of the last `tail` bytes. */
        tail?: number | null;
        /** @description Bytes; at least one event is given. */
        limit?: number;
        /**
         * @description Seconds that the answer is held for at most, while there is nothing new: until the log is longer than
         *     `offset`, the attempt is over, or the job has begun anew.
         */
        wait?: number;
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventPage'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  job_files_results: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ResultList'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  job_files_result: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/octet-stream': unknown;
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  job_files_inputs: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/octet-stream': unknown;
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  job_files_output: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
        number: string;
        file: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/octet-stream': unknown;
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  job_files_notebook: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': unknown;
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  experiments_list_experiments: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ExperimentList'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  audit_page: {
    parameters: {
      query?: {
        /** @description `next` of the page before. */
        cursor?: string | null;
        limit?: number;
        noun?: string | null;
        id?: string | null;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuditPage'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  notebooks_ask: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['NotebookAsk'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['NotebookFound'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  notebooks_answer: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        request_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['NotebookAnswer'];
      };
    };
    responses: {
      /** @description Done */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
  tracking_state: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TrackingState'];
        };
      };
      /** @description Not logged in, or the token is wrong */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Not allowed */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description There is nothing of that name */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description A value is not valid */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description The workspace is not ready */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
      /** @description Any other failure */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ErrorAnswer'];
        };
      };
    };
  };
}
