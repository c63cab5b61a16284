import { statusSourceContract } from '@caelus/core/testing';
import { describe, it } from 'vitest';
import { createSubject } from './status-source-subject.ts';

statusSourceContract({ describe, it }, { name: 'Kubernetes API', create: () => createSubject() });
statusSourceContract(
  { describe, it },
  { name: 'Kubernetes API, one object a page', create: () => createSubject({ pageSize: 1 }) },
);
