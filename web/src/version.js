// SPDX-License-Identifier: MPL-2.0
export const version = '0.1.0';
