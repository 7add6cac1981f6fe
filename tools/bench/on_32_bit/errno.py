# As the files of the 32-bit port have them: those of Emscripten.
ENOENT, EEXIST, ENOSPC, EIO, EPERM, EINVAL, ENOTDIR, EISDIR = 44, 20, 51, 29, 63, 28, 54, 31
