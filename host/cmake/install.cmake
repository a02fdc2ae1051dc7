# What `cmake --install` puts where: the command, the two libraries, their headers under
# include/sluice/, a CMake package (find_package(sluice CONFIG)) and two pkg-config files.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)

# Installed, they find shared libraries: ours beside them, the CUDA toolkit's where it was linked.
file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(sluice_engine sluice sluice_command PROPERTIES
  INSTALL_RPATH "$ORIGIN;$ORIGIN/${libraries}" INSTALL_RPATH_USE_LINK_PATH TRUE)
install(TARGETS sluice_engine sluice EXPORT sluiceTargets)
install(TARGETS sluice_command)
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION ${package_dir})
# Of kernels/ the headers that say "Public API." before #pragma once, of engine/ those at the top; the
# rest is their own business.
file(GLOB_RECURSE kernel_headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} kernels/*.h)
foreach(header IN LISTS kernel_headers)
  file(STRINGS ${header} public LIMIT_COUNT 1 REGEX "^// Public API\\.$")
  if(public)
    get_filename_component(room ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice/${room})
  endif()
endforeach()
file(GLOB engine_headers CONFIGURE_DEPENDS engine/*.h)
install(FILES ${engine_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice/engine)
install(DIRECTORY host DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice
        FILES_MATCHING PATTERN "*.h"
        PATTERN "host/cmake" EXCLUDE
        PATTERN "host/command" EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(host/cmake/sluiceConfig.cmake.in sluiceConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(sluiceConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sluiceConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/sluiceConfigVersion.cmake
        DESTINATION ${package_dir})

# pkg-config. What a static library needs its users must link; a shared one has linked it itself.
set(pc_engine_needs "-ldnnl -lgomp -pthread")
if(SLUICE_WITH_CUDA)
  list(GET CUDAToolkit_LIBRARY_DIR 0 cuda_libdir)
  string(APPEND pc_engine_needs " -L${cuda_libdir} -lcublas -lcudart")
endif()
set(pc_needs "icu-uc icu-i18n zlib")
if(BUILD_SHARED_LIBS)
  set(pc_engine_libs "\nLibs.private: ${pc_engine_needs}")
  set(pc_requires "\nRequires.private: ${pc_needs}")
else()
  set(pc_engine_libs " ${pc_engine_needs}")
  set(pc_requires ", ${pc_needs}")
endif()
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
foreach(name IN ITEMS sluice-engine sluice)
  configure_file(host/cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
